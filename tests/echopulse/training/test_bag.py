"""Training end to end on texts of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from echopulse.training.bag import Recipe, fit
from echopulse.training.datasets import chosen_tasks
from echopulse.training.distillation import Teaching
from echopulse.training.evaluation import evaluate
from echopulse.training.heads import load_all
from schemas.errors import EchoPulseError
from transforms.artifact import read_manifest
from transforms.loading import load_model

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from echopulse.training.folds import Examples

TASKS = chosen_tasks(["sentiment", "toxicity", "stance"])
RECIPE = Recipe(chat_per_thousand=20)


def _ignore(line: str) -> None:
    del line


def _parts(data: Path) -> tuple[Examples, Examples]:
    return load_all(data, TASKS, "train"), load_all(data, TASKS, "val")


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of all tasks."""
    output = tmp_path_factory.mktemp("models") / "own"
    fit(*_parts(data), output, RECIPE, _ignore)
    return output


def test_learns(trained: Path, data: Path) -> None:
    """What is plain in the words is learnt, for every task, and the document has the fields promised."""
    document = evaluate(str(trained), data, "test")
    assert set(document) == {"model", "digest", "texts_per_second", "tasks"}
    assert set(document["tasks"]) == set(TASKS)
    for task in document["tasks"].values():
        assert task["low"] <= task["value"] <= task["high"]
        assert task["value"] > 95
        assert task["rows"] > 0


def test_same_data_and_seed_same_digest(trained: Path, data: Path, tmp_path: Path) -> None:
    """Two runs give the same bytes; another seed gives others."""
    _, digest = read_manifest(trained)
    assert fit(*_parts(data), tmp_path / "own", RECIPE, _ignore) == digest
    assert fit(*_parts(data), tmp_path / "other" / "own", Recipe(seed=1, chat_per_thousand=20), _ignore) != digest


def test_distils(trained: Path, data: Path, tmp_path: Path) -> None:
    """A pupil with three labels of a task learns it from its teacher, on texts that nobody labelled."""
    examples, held = _parts(data)
    unlabelled = examples["sentiment"].texts
    few = examples["sentiment"].where(np.arange(len(unlabelled)) < 3)
    own = {"offensive": examples["offensive"], "sentiment": few}
    teaching = Teaching(load_model(trained), unlabelled, {"texts.parquet": "sha256:0"}, weight=1.0)
    fit(own, {name: held[name] for name in own}, tmp_path / "pupil", RECIPE, _ignore, teaching=teaching)
    assert evaluate(str(tmp_path / "pupil"), data, "test")["tasks"]["sentiment"]["value"] > 95
    assert teaching.declared()["teacher"] == load_model(trained).digest


def test_unseen_folder(trained: Path, tmp_path: Path) -> None:
    """A folder without any of the model's tasks, or none at all, is told."""
    with pytest.raises(EchoPulseError, match=r"sentiment\.test\.parquet"):
        evaluate(str(trained), tmp_path, "test")
    with pytest.raises(EchoPulseError, match="is not a folder"):
        evaluate(str(trained), tmp_path / "none", "test")


def test_no_training_rows(tmp_path: Path) -> None:
    """A missing training file is named."""
    with pytest.raises(EchoPulseError, match=r"no train rows for sentiment .*sentiment\.train\.parquet"):
        load_all(tmp_path, ["sentiment"], "train")


def test_no_texts_to_ask_about(trained: Path, data: Path, tmp_path: Path) -> None:
    """A teacher may be asked about the labelled texts alone."""
    examples, held = _parts(data)
    teaching = Teaching(load_model(trained), pa.array([], pa.string()), {})
    fit(examples, held, tmp_path / "own", RECIPE, _ignore, teaching=teaching)
    assert evaluate(str(tmp_path / "own"), data, "test")["tasks"]["offensive"]["value"] > 95


def test_epochs_are_watched_and_change_nothing(trained: Path, data: Path, tmp_path: Path) -> None:
    """Each epoch tells each task's metric; the bytes are those of a training that nobody watches."""
    _, digest = read_manifest(trained)
    seen: dict[int, Mapping[str, float]] = {}
    assert fit(*_parts(data), tmp_path / "own", RECIPE, _ignore, watch=seen.__setitem__) == digest
    assert list(seen) == list(range(1, RECIPE.epochs + 1))
    assert set(seen[1]) == set(TASKS)
    assert seen[RECIPE.epochs]["sentiment"] > 95
