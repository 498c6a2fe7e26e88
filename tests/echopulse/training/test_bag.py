"""Training end to end on texts of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.training.bag import Recipe, train
from echopulse.training.card import write_card
from echopulse.training.datasets import chosen_tasks
from echopulse.training.evaluation import evaluate
from schemas.errors import EchoPulseError
from transforms.artifact import read_manifest

if TYPE_CHECKING:
    from pathlib import Path

TASKS = chosen_tasks(["sentiment", "toxicity"])


def _ignore(line: str) -> None:
    del line


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of all tasks."""
    output = tmp_path_factory.mktemp("models") / "own"
    train(TASKS, data, output, Recipe(), _ignore)
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
    assert train(TASKS, data, tmp_path / "own", Recipe(), _ignore) == digest
    assert train(TASKS, data, tmp_path / "other" / "own", Recipe(seed=1), _ignore) != digest


def test_card(trained: Path, data: Path) -> None:
    """The card names digest, sources, metrics and limits."""
    document = evaluate(str(trained), data, "val")
    write_card(trained, document)
    text = (trained / "README.md").read_text()
    for part in (
        document["digest"],
        "`davidson.parquet`",
        "| sentiment | macro_recall |",
        "## Limits",
        "Languages: en",
    ):
        assert part in text


def test_unseen_folder(trained: Path, tmp_path: Path) -> None:
    """A folder without any of the model's tasks, or none at all, is told."""
    with pytest.raises(EchoPulseError, match=r"sentiment\.test\.parquet"):
        evaluate(str(trained), tmp_path, "test")
    with pytest.raises(EchoPulseError, match="is not a folder"):
        evaluate(str(trained), tmp_path / "none", "test")


def test_no_training_rows(tmp_path: Path) -> None:
    """A missing training file is named."""
    with pytest.raises(EchoPulseError, match=r"no train rows for sentiment .*sentiment\.train\.parquet"):
        train(["sentiment"], tmp_path, tmp_path / "out", Recipe(), _ignore)
