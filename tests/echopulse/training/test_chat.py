"""Chat lines made up for training."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pyarrow as pa
import pytest

from echopulse.training.chat import MEANT, chat_lessons
from echopulse.training.datasets import TASKS
from echopulse.training.heads import Head
from transforms.mood_lexicon import Mood
from transforms.normalisation import normalise

HEADS = [Head("hate", TASKS["hate"], "", (0,)), Head("sentiment", TASKS["sentiment"], "", (1, 2, 3))]
TEXTS = pa.array([f"some words of text number {row}" for row in range(100)])


def test_every_mood_has_a_meaning() -> None:
    """Each mood of the lexicon has one, and each is a distribution."""
    assert set(MEANT) == set(get_args(Mood))
    assert [sum(meant) for meant in MEANT.values()] == pytest.approx([1.0] * len(MEANT))


def test_lines() -> None:
    """So many for each thousand texts, the same for one seed; they teach sentiment alone, and hold known tokens."""
    made = chat_lessons(HEADS, TEXTS, 500, seed=3)
    assert len(made.texts) == 50
    assert made.texts.equals(chat_lessons(HEADS, TEXTS, 500, seed=3).texts)
    assert not made.texts.equals(chat_lessons(HEADS, TEXTS, 500, seed=4).texts)
    assert made.weights.tolist() == [[0.0, 1.0]] * 50
    assert made.wanted[:, 0].tolist() == [0.0] * 50
    assert made.wanted.sum(axis=1) == pytest.approx(np.ones(50))
    marked = [text.count(" :") for text in normalise(made.texts).normalised.to_pylist()]
    assert sum(count > 0 for count in marked) > 40


def test_none_without_sentiment() -> None:
    """A model without sentiment learns none."""
    assert len(chat_lessons(HEADS[:1], TEXTS, 500, seed=3).texts) == 0
