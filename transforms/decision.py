"""From a model's scores to probabilities, to a label, and to how sure of it the model is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from transforms.artifact import Task

_SMALLEST = 1e-12


def probabilities(task: Task, scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """Turn scores [texts, all columns] into probabilities [texts, labels] of a task, by its link."""
    margins = scores[:, task.columns] * np.float64(task.slope) + np.array(task.offsets)
    if task.link == "sigmoid":
        positive = np.exp(-np.logaddexp(0.0, -margins))
        both: NDArray[np.float64] = np.concatenate([1.0 - positive, positive], axis=1)
        return both
    margins -= margins.max(axis=1, keepdims=True)
    exponentials: NDArray[np.float64] = np.exp(margins)
    return np.divide(exponentials, exponentials.sum(axis=1, keepdims=True), dtype=np.float64)


def decide(task: Task, chances: NDArray[np.float64]) -> NDArray[np.int64]:
    """Choose a label (its index) for each row of probabilities."""
    if task.link == "sigmoid":
        return (chances[:, 1] >= task.threshold).astype(np.int64)
    largest: NDArray[np.int64] = _weighed(task, chances).argmax(axis=1)
    return largest


def certainty(task: Task, chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far each row is from being decided otherwise, in log-odds: 0 is undecided.

    sigmoid: the distance of the probability's log-odds from the threshold's. softmax: that of the label chosen from
    the next one.
    """
    if task.link == "sigmoid":
        distance: NDArray[np.float64] = np.abs(_log_odds(chances[:, 1]) - _log_odds(np.array([task.threshold])))
        return distance
    ranked = np.sort(_weighed(task, chances), axis=1)
    return np.asarray(ranked[:, -1] - ranked[:, -2])


def _weighed(task: Task, chances: NDArray[np.float64]) -> NDArray[np.float64]:
    logarithms: NDArray[np.float64] = np.log(np.maximum(chances, _SMALLEST))
    if task.decision_offsets:
        logarithms += np.array(task.decision_offsets)
    return logarithms


def _log_odds(chances: NDArray[np.float64]) -> NDArray[np.float64]:
    bounded = np.clip(chances, _SMALLEST, 1.0 - _SMALLEST)
    odds: NDArray[np.float64] = np.log(bounded) - np.log1p(-bounded)
    return odds
