"""Fine-tuning a transformer end to end: a tiny one of the test's own weights, on texts of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.training import transformer
from echopulse.training.datasets import chosen_tasks
from echopulse.training.evaluation import evaluate
from echopulse.training.fine_tuning import Pace
from echopulse.training.heads import load_all
from echopulse.training.order import Order
from echopulse.training.teachers import Teachers
from echopulse.training.trainers import cross_validate_cascade, train_model
from echopulse.training.transformer import Recipe, base_folder, fit
from schemas.errors import EchoPulseError
from transforms.artifact import read_manifest
from transforms.transformer import TOKENIZER

if TYPE_CHECKING:
    from pathlib import Path

    from echopulse.training.folds import Examples

TASKS = chosen_tasks(["sentiment", "toxicity", "stance"])


def _parts(data: Path) -> tuple[Examples, Examples]:
    return load_all(data, TASKS, "train"), load_all(data, TASKS, "val")


def _ignore(line: str) -> None:
    del line


def _recipe(base: Path, epochs: float, seed: int = 0) -> Recipe:
    return Recipe(seed=seed, pace=Pace(epochs=epochs, rate=3e-3, head_rate=3e-3, batch=16), base=str(base))


def test_learns(base: Path, data: Path, tmp_path: Path) -> None:
    """What is plain in the words is learnt, for every task, through export, quantisation and calibration."""
    said: list[str] = []
    fit(*_parts(data), tmp_path / "own", _recipe(base, 12.0), said.append)
    document = evaluate(str(tmp_path / "own"), data, "test")
    assert set(document["tasks"]) == set(TASKS)
    assert {name: task["value"] > 90 for name, task in document["tasks"].items()} == dict.fromkeys(TASKS, True)
    assert any(line.startswith("step 100 of ") for line in said)


def test_same_data_and_seed_same_digest(base: Path, data: Path, tmp_path: Path) -> None:
    """Two runs give the same bytes; another seed gives others."""
    digests = [
        fit(*_parts(data), tmp_path / str(run) / "own", _recipe(base, 0.2, seed), _ignore)
        for run, seed in enumerate((0, 0, 1))
    ]
    assert digests[0] == digests[1] != digests[2]
    manifest, _ = read_manifest(tmp_path / "0" / "own")
    assert manifest.kind == "onnx"
    assert set(manifest.files) == {"model.onnx", TOKENIZER}


def test_a_base_that_is_none(tmp_path: Path) -> None:
    """A folder without config.json is refused by name."""
    with pytest.raises(EchoPulseError, match=r"holds no config\.json") as refused:
        base_folder(str(tmp_path))
    assert str(tmp_path) in str(refused.value)


def test_cross_validates_a_cascade(base: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For each fold a transformer, a bag that it taught and a cascade of both say the rows that none of them saw."""
    monkeypatch.setattr(transformer, "base_folder", lambda _: base)
    order = Order("cascade", (), data, tmp_path / "out", unlabelled=(data / "hate.test.parquet",), folds=2)
    said: list[str] = []
    found = cross_validate_cascade(order, said.append)
    assert list(found) == ["bag", "transformer", "cascade"]
    rows = {name: task["rows"] for name, task in found["bag"].items()}
    assert list(rows) == list(TASKS)
    for tasks in found.values():
        assert {name: task["rows"] for name, task in tasks.items()} == rows
        assert all(len(task["folds"]) == 2 for task in tasks.values())
    assert sum(line.startswith("asking transformer about ") for line in said) == 2


def test_taught(base: Path, data: Path, tmp_path: Path) -> None:
    """With teachers the labels are learnt as well, from texts that nobody labelled too, and the manifest names all."""
    order = Order(
        *("transformer", ("sentiment",), data, tmp_path / "own"),
        epochs=8,
        unlabelled=(data / "sentiment.test.parquet",),
        teachers=2,
        teacher_base=str(base),
    )
    quick = Pace(epochs=8.0, rate=3e-3, head_rate=3e-3, batch=16)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(transformer, "base_folder", lambda _: base)
        patched.setattr(transformer, "TAUGHT", quick)
        patched.setattr(Teachers.__dataclass_fields__["pace"], "default_factory", lambda: quick)
        said: list[str] = []
        document = train_model(order, said.append)
    assert document["tasks"]["sentiment"]["value"] > 90
    assert [line for line in said if line.startswith("teacher ")] == ["teacher 1 of 2", "teacher 2 of 2"]
    training = read_manifest(tmp_path / "own")[0].training
    assert training["teachers"] == 2
    assert training["teacher_base"]["name"] == base.name
    assert training["teacher_base"]["model.safetensors"].startswith("sha256:")
    assert set(training["unlabelled"]) == {"sentiment.test.parquet"}
