"""Calibration on rows whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from echopulse.training.calibration import best_threshold, fit_sigmoid, fit_temperature
from echopulse.training.metrics import confusion, macro_f1

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


def test_temperature_is_recovered() -> None:
    """Margins twice too sure get a slope of one half."""
    margins = GENERATOR.normal(0.0, 2.0, (20_000, 3))
    exponentials = np.exp(margins)
    cumulated = np.cumsum(exponentials / exponentials.sum(axis=1, keepdims=True), axis=1)
    labels = np.minimum((GENERATOR.random((20_000, 1)) > cumulated).sum(axis=1), 2)
    assert fit_temperature(margins * 2, labels) == pytest.approx(0.5, rel=0.06)


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
