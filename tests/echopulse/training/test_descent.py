"""Gradient descent against the same steps in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from echopulse.training.descent import BIAS_PACE, descend


def test_against_numpy() -> None:
    """A softmax head and a sigmoid head, rows that teach one of them or none, soft values wanted, and an empty row."""
    generator = np.random.default_rng(2)
    lengths = generator.integers(1, 6, 30)
    lengths[7] = 0
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    buckets = generator.integers(0, 16, int(starts[-1])).astype(np.uint32)
    wanted = np.zeros((30, 8), np.float32)
    wanted[:, :3] = generator.dirichlet((1, 1, 1), 30)
    wanted[:, 3] = generator.random(30)
    importance = (generator.random((30, 2)) * generator.integers(0, 2, (30, 2))).astype(np.float32)
    order = np.concatenate([generator.permutation(30) for _ in range(2)])
    weights, biases = np.zeros((16, 8), np.float32), np.zeros(8, np.float32)
    squares = np.full(16, 0.01, np.float32)
    lows, highs = np.array([0, 3]), np.array([3, 4])
    given, table, rate = (buckets, starts, wanted, importance, lows, highs), (weights, squares, biases), np.float32(0.5)
    # In two parts, as a training goes from epoch to epoch.
    for begin, end in ((0, 37), (37, 60)):
        descend(*given, order[begin:end], *table, rate, begin, len(order))

    expected, offsets, seen = np.zeros((16, 8)), np.zeros(8), np.full(16, 0.01)
    for step, row in enumerate(order):
        grams = buckets[starts[row] : starts[row + 1]]
        if not len(grams) or not importance[row].any():
            continue
        share = 1 / np.sqrt(len(grams))
        margin = expected[grams].sum(axis=0) * share + offsets
        gradient = np.zeros(8)
        soft = np.exp(margin[:3] - margin[:3].max())
        gradient[:3] = importance[row, 0] * (soft / soft.sum() - wanted[row, :3])
        gradient[3] = importance[row, 1] * (1 / (1 + np.exp(-margin[3])) - wanted[row, 3])
        pace = 0.5 * (1 - step / len(order))
        offsets -= pace * BIAS_PACE * gradient
        gradient *= share
        for gram in grams:
            seen[gram] += (gradient**2).mean()
            expected[gram] -= pace / np.sqrt(seen[gram]) * gradient
    assert weights == pytest.approx(expected, abs=1e-4)
    assert squares == pytest.approx(seen, rel=1e-3)
    assert biases == pytest.approx(offsets, abs=1e-4)
