"""Tuning a cascade: so that a share of the rows is passed on, by every task's own uncertainty."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from echopulse.training import datasets
from echopulse.training.bag import Recipe, fit
from echopulse.training.cascade import ASKED_SHARES, tune
from echopulse.training.heads import load_all
from schemas.errors import EchoPulseError
from transforms.artifact import read_manifest
from transforms.decision import certainty
from transforms.loading import load_model
from transforms.model import TableModel
from transforms.normalisation import normalise

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
    """Of a task's validation rows about the share wanted is below its threshold; a task's targets share one."""
    tune(load_all(data, TASKS, "val"), tmp_path / "own", _ignore, *stages)
    manifest, _ = read_manifest(tmp_path / "own")
    assert manifest.cascade is not None
    thresholds = manifest.cascade.thresholds
    fast = load_model(Path(stages[0]))
    assert set(thresholds) == set(fast.manifest.tasks)
    assert thresholds["stance.cats"] == thresholds["stance.dogs"]
    for name in ("sentiment", "offensive", "hate"):
        texts = normalise(load_all(data, TASKS, "val")[name].texts).normalised
        said = fast.answer(name, pa.RecordBatch.from_arrays([texts], names=["normalised"]))
        share = (certainty(fast.manifest.task(name), said.probabilities) < thresholds[name]).mean()
        assert ASKED_SHARES[name] - 0.1 <= share <= ASKED_SHARES[name] + 0.1


def test_a_text_is_passed_on_once(stages: tuple[str, str], data: Path, tmp_path: Path) -> None:
    """Rows passed on are the second model's, and it reads each text once, however many tasks pass it on."""
    tune(load_all(data, TASKS, "val"), tmp_path / "own", _ignore, *stages)
    both, strong = load_model(tmp_path / "own"), load_model(Path(stages[1]))
    assert isinstance(strong, TableModel)
    texts = pc.unique(normalise(load_all(data, TASKS, "val")["toxicity"].texts).normalised)
    batch = pa.RecordBatch.from_arrays([texts], names=["normalised"])
    read: list[str] = []
    score = type(strong).score_distinct

    def overheard(model: TableModel, given: pa.StringArray) -> NDArray[np.float32]:
        if model is strong:
            read.extend(given.to_pylist())
        return score(model, given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(strong), "score_distinct", overheard)
        answers = {task: both.answer(task, batch) for task in both.manifest.tasks}
    passed_on = np.zeros(len(texts), np.bool_)
    for task, answer in answers.items():
        rows = pc.equal(answer.models, strong.digest).to_numpy(zero_copy_only=False)
        np.testing.assert_allclose(
            answer.probabilities[rows], strong.answer(task, batch).probabilities[rows], atol=1e-6
        )
        passed_on |= rows
    assert passed_on.any()
    assert sorted(read) == sorted(texts.filter(pa.array(passed_on)).to_pylist())


def test_models_are_named_by_the_way_to_them(stages: tuple[str, str], data: Path, tmp_path: Path) -> None:
    """Moved together, a cascade of folders is still one; a shipped model is named by its name."""
    for folder in stages:
        shutil.copytree(folder, tmp_path / "a" / Path(folder).name)
    tune(load_all(data, TASKS, "val"), tmp_path / "a" / "own", _ignore, "default", str(tmp_path / "a" / "strong"))
    (tmp_path / "a").rename(tmp_path / "b")
    model = load_model(tmp_path / "b" / "own")
    assert model.manifest.cascade is not None
    assert (model.manifest.cascade.first, model.manifest.cascade.second) == ("default", "../strong")


def test_no_rows_to_tune_by(stages: tuple[str, str], tmp_path: Path) -> None:
    """Rows of no task of both are refused by the models' names."""
    with pytest.raises(EchoPulseError, match=r"no validation rows of a task that"):
        tune({}, tmp_path / "own", _ignore, *stages)
