"""Gradient descent against the same steps in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from echopulse.training.descent import descend


def test_against_numpy() -> None:
    """A softmax task and a sigmoid task, rows that belong to one of them, and an empty row."""
    generator = np.random.default_rng(2)
    lengths = generator.integers(1, 6, 30)
    lengths[7] = 0
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    buckets = generator.integers(0, 16, int(starts[-1])).astype(np.uint32)
    labels = np.stack([generator.integers(-1, 3, 30), generator.integers(-1, 2, 30)], axis=1).astype(np.int64)
    importance = np.array([[1.0, 2.0, 0.5], [0.7, 1.3, 1.0]], np.float32)
    order = np.concatenate([generator.permutation(30) for _ in range(2)])
    weights, biases = np.zeros((16, 8), np.float32), np.zeros(8, np.float32)
    lows, highs = np.array([0, 3]), np.array([3, 4])
    descend(buckets, starts, labels, lows, highs, importance, order, weights, biases, np.float32(0.5))

    expected, offsets = np.zeros((16, 8)), np.zeros(8)
    for step, row in enumerate(order):
        grams = buckets[starts[row] : starts[row + 1]]
        if not len(grams):
            continue
        share = 1 / np.sqrt(len(grams))
        margin = expected[grams].sum(axis=0) * share + offsets
        gradient = np.zeros(8)
        mood, insult = labels[row]
        if mood >= 0:
            soft = np.exp(margin[:3] - margin[:3].max())
            gradient[:3] = importance[0, mood] * (soft / soft.sum() - np.eye(3)[mood])
        if insult >= 0:
            gradient[3] = importance[1, insult] * (1 / (1 + np.exp(-margin[3])) - insult)
        pace = 0.5 * (1 - step / len(order))
        offsets -= pace * 0.02 * gradient
        np.subtract.at(expected, grams, pace * share * gradient)
    assert weights == pytest.approx(expected, abs=1e-5)
    assert biases == pytest.approx(offsets, abs=1e-5)
