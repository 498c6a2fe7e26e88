"""Teachers: who is asked about what. The networks are stand-ins; tests of the transformer train real ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from echopulse.training import teachers as module
from echopulse.training.curriculum import Curriculum, curriculum
from echopulse.training.datasets import Labelled
from echopulse.training.fine_tuning import Pace
from echopulse.training.heads import lay_out, lessons
from echopulse.training.teachers import Teachers, said_by

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

_ROWS = 60
_FRESH = ["nobody", "said", "so"]


class _Network:
    """Says of every text the margin that is its own number, and keeps what it learnt and was asked."""

    made: list[_Network]

    def __init__(self, base: Path, heads: object, seed: int, dropout: float) -> None:
        del base, heads
        self.number, self.dropout = len(_Network.made), dropout
        self.seed = seed
        _Network.made.append(self)

    def learn(
        self, lessons: Curriculum, kept: NDArray[np.bool_], pace: Pace, seed: int, progress: Callable[[str], None]
    ) -> None:
        del pace, progress
        assert seed == self.seed
        self.learnt = set(lessons.lessons.texts.filter(pa.array(kept)).to_pylist())

    def ask(self, texts: pa.StringArray) -> NDArray[np.float32]:
        self.asked = set(texts.to_pylist())
        return np.full((len(texts), 1), float(self.number), np.float32)


def test_each_row_is_said_by_the_one_that_did_not_learn_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Of rows that people wrote one teacher, of texts that nobody labelled the mean of all; made-up rows teach all."""
    _Network.made = []
    monkeypatch.setattr(module, "Tuned", _Network)
    texts = [f"text {row // 2}" for row in range(_ROWS)]  # each twice
    examples = {"hate": Labelled(pa.array(texts), np.arange(_ROWS) % 2, None)}
    heads = lay_out(examples)
    whole = curriculum(heads, lessons(heads, examples, 1.0), examples, {}, 0, 0)
    told: list[str] = []
    said = said_by(Teachers(tmp_path, 3, pa.array(_FRESH)), heads, whole, pa.array(_FRESH), 7, told.append)["hate"]
    assert told == ["teacher 1 of 3", "teacher 2 of 3", "teacher 3 of 3"]
    assert [network.seed for network in _Network.made] == [7, 8, 9]
    assert {network.dropout for network in _Network.made} == {0.1}
    assert said.shape == (_ROWS + len(_FRESH), 2)
    chances = 1 / (1 + np.exp(-np.arange(3.0)))
    np.testing.assert_allclose(said.sum(axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(said[_ROWS:, 1], chances.mean(), rtol=1e-5)
    for row, text in enumerate(texts):
        number = int(np.abs(chances - said[row, 1]).argmin())
        assert said[row, 1] == pytest.approx(chances[number], rel=1e-5)
        assert text not in _Network.made[number].learnt
        assert text in _Network.made[number].asked
    made_up = set(whole.lessons.texts.slice(_ROWS).to_pylist())
    for network in _Network.made:
        assert made_up <= network.learnt
        assert network.learnt | network.asked >= set(texts) | set(_FRESH)
        assert not network.learnt & network.asked


def test_declared(tmp_path: Path) -> None:
    """The manifest names how many, from which weights, and what they were asked about."""
    whole: dict[str, Any] = {"origin": {"a.parquet": "sha256:1"}, "named": {"name": "big"}}
    declared = Teachers(tmp_path, 4, pa.array([], pa.string()), **whole, pace=Pace(epochs=1.5, rate=1e-5)).declared()
    assert declared == {
        "teachers": 4,
        "teacher_base": {"name": "big"},
        "unlabelled": {"a.parquet": "sha256:1"},
        "trust": 0.5,
        "teacher_weight": 0.5,
        "teacher_epochs": 1.5,
        "teacher_rate": 1e-5,
    }
