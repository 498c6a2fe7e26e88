"""Tuning a cascade: so that a share of the rows is passed on, by every task's own uncertainty."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from echopulse.training import datasets
from echopulse.training.bag import Recipe, fit
from echopulse.training.cascade import ASKED_SHARE, tune
from echopulse.training.heads import load_all
from schemas.errors import EchoPulseError
from transforms.artifact import read_manifest
from transforms.cascade import doubtful
from transforms.loading import load_model
from transforms.normalisation import normalise

TASKS = datasets.chosen_tasks(["sentiment", "toxicity", "stance"])


def _ignore(line: str) -> None:
    del line


@pytest.fixture(scope="module")
def stages(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Two models of all tasks."""
    folder = tmp_path_factory.mktemp("stages")
    examples, held = load_all(data, TASKS, "train"), load_all(data, TASKS, "val")
    for seed, name in enumerate(("quick", "strong")):
        fit(examples, held, folder / name, Recipe(seed=seed, epochs=2, chat_per_thousand=20), _ignore)
    return str(folder / "quick"), str(folder / "strong")


def test_passes_on_the_share_wanted(stages: tuple[str, str], data: Path, tmp_path: Path) -> None:
    """Of all validation texts no more than the share wanted are doubtful, and nearly as many; targets share theirs."""
    tune(data, tmp_path / "own", _ignore, *stages)
    manifest, _ = read_manifest(tmp_path / "own")
    assert manifest.cascade is not None
    thresholds = manifest.cascade.thresholds
    assert set(thresholds) == set(load_model(tmp_path / "own").manifest.tasks)
    assert thresholds["stance.cats"] == thresholds["stance.dogs"]
    held = load_all(data, TASKS, "val")
    texts = pc.unique(pa.concat_arrays([part.texts for part in held.values()]))
    batch = pa.RecordBatch.from_arrays([normalise(texts).normalised], names=["normalised"])
    share = doubtful(load_model(Path(stages[0])), thresholds, batch).mean()
    assert 0.5 * ASKED_SHARE <= share <= ASKED_SHARE + 1 / len(texts)


def test_answers_by_the_second_where_doubtful(stages: tuple[str, str], data: Path, tmp_path: Path) -> None:
    """A row passed on is the second model's in every task."""
    tune(data, tmp_path / "own", _ignore, *stages)
    both, strong = load_model(tmp_path / "own"), load_model(Path(stages[1]))
    texts = normalise(load_all(data, TASKS, "val")["sentiment"].texts).normalised
    batch = pa.RecordBatch.from_arrays([texts], names=["normalised"])
    by_task = [both.answer(task, batch) for task in both.manifest.tasks]
    models = {tuple(answer.models.to_pylist()) for answer in by_task}
    assert len(models) == 1
    asked = np.array([model == strong.digest for model in models.pop()])
    assert asked.any()
    for task, answer in zip(both.manifest.tasks, by_task, strict=True):
        expected = strong.answer(task, batch).probabilities[asked]
        np.testing.assert_allclose(answer.probabilities[asked], expected)


def test_no_rows_to_tune_by(stages: tuple[str, str], tmp_path: Path) -> None:
    """A folder without a task of both is refused by name."""
    with pytest.raises(EchoPulseError, match=r"has no validation rows of a task that"):
        tune(tmp_path, tmp_path / "own", _ignore, *stages)
