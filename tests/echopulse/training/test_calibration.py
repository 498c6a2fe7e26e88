"""Calibration on rows whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from echopulse.training.calibration import best_offsets, best_threshold, fit_sigmoid, fit_softmax
from echopulse.training.metrics import confusion, f1_favor_against, macro_f1

GENERATOR = np.random.default_rng(5)


def _sigmoid(margin: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(1 / (1 + np.exp(-margin)))


def test_sigmoid_is_recovered() -> None:
    """The slope and the offset that made the labels are found again, far from where the search begins."""
    scores = GENERATOR.normal(3.0, 40.0, 20_000)
    labels = (GENERATOR.random(20_000) < _sigmoid(0.1 * scores - 1.5)).astype(np.int64)
    assert fit_sigmoid(scores, labels) == pytest.approx((0.1, -1.5), rel=0.1)


def test_separable_scores_stay_finite() -> None:
    """Classes that do not overlap, or one class alone, give a finite slope."""
    scores = np.array([-2.0, -1.0, 1.0, 2.0])
    slope, offset = fit_sigmoid(scores, np.array([0, 0, 1, 1]))
    assert 0 < slope < 10
    assert offset == pytest.approx(0, abs=1e-6)
    assert np.isfinite(fit_sigmoid(scores, np.ones(4, np.int64))).all()


def _drawn(margins: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    exponentials = np.exp(margins)
    cumulated = np.cumsum(exponentials / exponentials.sum(axis=1, keepdims=True), axis=1)
    return np.asarray(np.minimum((GENERATOR.random((len(margins), 1)) > cumulated).sum(axis=1), margins.shape[1] - 1))


def test_softmax_is_recovered() -> None:
    """Margins twice too sure get a slope of one half, and labels told too seldom their biases."""
    margins = GENERATOR.normal(0.0, 2.0, (20_000, 3))
    labels = _drawn(margins + np.array([0.0, 1.0, -0.5]))
    slope, biases = fit_softmax(margins * 2, labels)
    assert slope == pytest.approx(0.5, rel=0.06)
    assert biases == pytest.approx([0.0, 1.0, -0.5], abs=0.1)


def test_separable_labels_stay_finite() -> None:
    """Labels that do not overlap, or one that is never there, give bounded values."""
    margins = 5 * np.eye(3)
    slope, biases = fit_softmax(margins, np.arange(3))
    assert 0 < slope <= 4
    assert biases == pytest.approx(0, abs=1e-3)
    assert np.abs(fit_softmax(margins, np.array([0, 1, 1]))[1]).max() <= 3


def test_offsets_of_two_labels_are_found_together() -> None:
    """Two labels that are said too seldom are both favored, though to favor one of them alone is worth little."""
    labels = GENERATOR.integers(0, 3, 3_000)
    margins = 2 * np.eye(3)[labels] + GENERATOR.normal(0.0, 1.0, (3_000, 3)) - np.array([0.0, 1.2, 1.2])
    chances = np.exp(margins) / np.exp(margins).sum(axis=1, keepdims=True)

    def worth(*offsets: float) -> float:
        said = (margins + np.array([0.0, *offsets])).argmax(axis=1)
        return float(f1_favor_against(confusion(labels, said, 3)))

    first, *others = best_offsets(chances, labels, "f1_favor_against")
    tried = np.linspace(-1.5, 1.5, 31)
    assert first == 0
    assert worth(*others) > max(worth(one, two) for one in tried for two in tried) - 0.5
    assert worth(*others) > max(*(worth(one, 0) for one in tried), *(worth(0, two) for two in tried)) + 1


def test_offsets_that_are_worth_nothing() -> None:
    """Probabilities that need no favor get none."""
    margins = 8 * np.eye(3).repeat(40, axis=0)
    chances = np.exp(margins) / np.exp(margins).sum(axis=1, keepdims=True)
    assert best_offsets(chances, np.arange(3).repeat(40), "macro_recall") == ()


def test_threshold_against_every_threshold() -> None:
    """No threshold of the grid gives a higher macro F1."""
    probabilities = GENERATOR.random(500)
    labels = (GENERATOR.random(500) < probabilities**2).astype(np.int64)
    chosen = best_threshold(probabilities, labels)
    values = {
        round(at, 2): float(macro_f1(confusion(labels, (probabilities >= at).astype(np.int64), 2)))
        for at in np.linspace(0.05, 0.95, 91)
    }
    assert values[chosen] == max(values.values())
