"""Probabilities that mean what they say, and the thresholds that decide, fitted on validation rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from echopulse.training.metrics import macro_f1

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NEWTON_STEPS = 50
_TOLERANCE = 1e-9
_GRID = np.geomspace(0.25, 4.0, 97)


def fit_sigmoid(scores: NDArray[np.float64], positive: NDArray[np.int64]) -> tuple[float, float]:
    """Fit (slope, offset) of P(positive) = 1 / (1 + exp(-(slope · score + offset))) by Newton's method.

    Platt (1999), with his smoothed targets, which keep the slope finite where the classes are separable, and the
    halved steps of Lin, Lin and Weng (2007).
    """
    positives = int(positive.sum())
    negatives = len(positive) - positives
    target = np.where(positive == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    spread = float(scores.std()) or 1.0
    design = np.stack([scores / spread, np.ones_like(scores)], axis=1)

    def loss(at: NDArray[np.float64]) -> float:
        margin = design @ at
        return float((np.logaddexp(0.0, margin) - target * margin).sum())

    parameters = np.zeros(2)
    for _ in range(_NEWTON_STEPS):
        probability = np.exp(-np.logaddexp(0.0, -design @ parameters))
        curvature = (design * (probability * (1 - probability))[:, None]).T @ design + 1e-9 * np.eye(2)
        step = np.linalg.solve(curvature, design.T @ (probability - target))
        while loss(parameters - step) > loss(parameters) and np.abs(step).max() > _TOLERANCE:
            step /= 2
        parameters = parameters - step
        if np.abs(step).max() <= _TOLERANCE:
            break
    return float(parameters[0]) / spread, float(parameters[1])


def fit_temperature(margins: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Return the slope of a softmax that gives the labels the highest likelihood (Guo et al. 2017), from a grid."""
    losses = []
    for slope in _GRID:
        scaled = margins * slope
        normaliser = np.logaddexp.reduce(scaled, axis=1)
        losses.append(float((normaliser - scaled[np.arange(len(labels)), labels]).mean()))
    return float(_GRID[int(np.argmin(losses))])


def best_threshold(probabilities: NDArray[np.float64], positive: NDArray[np.int64]) -> float:
    """Return the threshold from 0.05 to 0.95 with the highest macro F1, the middle one of those that tie."""
    thresholds = np.linspace(0.05, 0.95, 91)
    said = probabilities[None, :] >= thresholds[:, None]
    counts = np.stack(
        [
            np.stack([(~said & (positive == 0)).sum(axis=1), (said & (positive == 0)).sum(axis=1)], axis=1),
            np.stack([(~said & (positive == 1)).sum(axis=1), (said & (positive == 1)).sum(axis=1)], axis=1),
        ],
        axis=1,
    )
    quality = macro_f1(counts)
    best = np.flatnonzero(quality >= quality.max() - 1e-9)
    return round(float(thresholds[best[len(best) // 2]]), 2)
