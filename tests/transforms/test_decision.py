"""From scores to probabilities, labels and certainty."""

from __future__ import annotations

import numpy as np
import pytest

from transforms.artifact import Task
from transforms.decision import certainty, decide, probabilities

SIGMOID = Task(labels=("no", "yes"), columns=(1,), link="sigmoid", slope=2.0, offsets=(-1.0,), threshold=0.4)
SOFTMAX = Task(labels=("a", "b", "c"), columns=(0, 1, 2), link="softmax", slope=1.0, offsets=(0.0, 0.0, 0.0))
SCORES = np.array([[1.0, 0.0, -1.0], [0.2, 0.3, 0.1], [-2.0, 3.0, 0.0]], np.float32)


def test_sigmoid() -> None:
    """The probability is that of the declared line, and the label is said at the threshold or above."""
    chances = probabilities(SIGMOID, SCORES)
    assert chances[:, 1] == pytest.approx(1 / (1 + np.exp(-(2 * SCORES[:, 1] - 1))))
    assert chances.sum(axis=1) == pytest.approx(np.ones(3))
    assert decide(SIGMOID, np.array([[0.6, 0.4], [0.61, 0.39]])).tolist() == [1, 0]


def test_softmax_with_offsets() -> None:
    """Offsets of the decision move the label and not the probabilities."""
    chances = probabilities(SOFTMAX, SCORES)
    assert decide(SOFTMAX, chances).tolist() == [0, 1, 1]
    moved = SOFTMAX.model_copy(update={"decision_offsets": (0.0, -1.0, 0.5)})
    assert np.array_equal(probabilities(moved, SCORES), chances)
    assert decide(moved, chances).tolist() == [0, 2, 1]


def test_certainty() -> None:
    """Nothing is certain where the decision stands on the edge; far from it, the distance is in log-odds."""
    assert certainty(SIGMOID, np.array([[0.6, 0.4]])) == pytest.approx([0.0])
    assert certainty(SIGMOID, np.array([[0.1, 0.9]])) == pytest.approx([np.log(9) - np.log(2 / 3)])
    assert certainty(SOFTMAX, np.array([[0.2, 0.4, 0.4], [0.1, 0.3, 0.6]])) == pytest.approx([0.0, np.log(2)])
