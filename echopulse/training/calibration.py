"""Probabilities that mean what they say, and the thresholds that decide, fitted on validation rows."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import uniform_filter
from scipy.optimize import minimize

from echopulse.training.metrics import METRICS, confusion, macro_f1
from transforms import decision
from transforms.model import question

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from echopulse.training.datasets import Labelled
    from echopulse.training.heads import Head
    from transforms.artifact import Manifest, Task
    from transforms.model import TableModel

_NEWTON_STEPS = 50
_TOLERANCE = 1e-9
_SLOPES, _BIASES = (0.25, 4.0), (-3.0, 3.0)
#: Decision offsets that are tried for each label but the first, and how many beside each other are averaged.
_OFFSETS = np.linspace(-1.5, 1.5, 31)
_NEIGHBOURS = 5
#: Offsets are kept where they better the metric by more than this, in points: less is chance.
_WORTH = 0.3


def calibrated(model: TableModel, heads: Sequence[Head], held: Mapping[str, Labelled]) -> Manifest:
    """Return the model's manifest with every head calibrated, and its decision fitted, on the rows held back.

    The heads of one task's targets share slope, biases and decision offsets, which are fitted on all their rows.
    """
    tasks = dict(model.manifest.tasks)
    for name in dict.fromkeys(head.task.name for head in heads):
        group = [head for head in heads if head.task.name == name]
        rows = [head.own(held[name]) for head in group]
        scores = [model.score_batch(question(part.texts)) for part in rows]
        tasks |= _fitted(group, [tasks[head.name] for head in group], scores, [part.labels for part in rows])
    return model.manifest.model_copy(update={"tasks": tasks})


def _fitted(
    group: Sequence[Head], tasks: list[Task], scores: list[NDArray[np.float32]], labels: list[NDArray[np.int64]]
) -> dict[str, Task]:
    gold = np.concatenate(labels)
    if tasks[0].link == "sigmoid":
        margins = np.concatenate([part[:, task.columns[0]] for part, task in zip(scores, tasks, strict=True)])
        slope, offset = fit_sigmoid(margins.astype(np.float64), gold)
        chances = np.exp(-np.logaddexp(0.0, -(slope * margins + offset)))
        update = {"slope": slope, "offsets": (offset,), "threshold": best_threshold(chances, gold)}
        return {head.name: task.model_copy(update=update) for head, task in zip(group, tasks, strict=True)}
    raw = [part[:, task.columns] + np.array(task.offsets) for part, task in zip(scores, tasks, strict=True)]
    slope, biases = fit_softmax(np.concatenate(raw).astype(np.float64), gold)
    scaled = [
        task.model_copy(update={"slope": slope, "offsets": tuple((slope * np.array(task.offsets) + biases).tolist())})
        for task in tasks
    ]
    chances = np.concatenate([decision.probabilities(task, part) for part, task in zip(scores, scaled, strict=True)])
    offsets = best_offsets(chances, gold, group[0].task.metric)
    return {
        head.name: task.model_copy(update={"decision_offsets": offsets})
        for head, task in zip(group, scaled, strict=True)
    }


def best_offsets(chances: NDArray[np.float64], labels: NDArray[np.int64], metric: str) -> tuple[float, ...]:
    """Return what to add to the logarithms of probabilities for the best metric; () for nothing.

    The first label's offset is 0; all offsets of the others are tried together, for what favors two labels over the
    first looks like a loss where either is tried alone. Each is worth the mean of its neighbours', so that no lucky
    row decides. Nothing is added where that is not worth more than chance would give.
    """
    logarithms = np.log(np.maximum(chances, 1e-12))
    others = chances.shape[1] - 1
    grid = np.array(list(product(_OFFSETS, repeat=others)))
    said = [(logarithms + np.concatenate([[0.0], at])).argmax(axis=1) for at in grid]
    quality = METRICS[metric](np.stack([confusion(labels, each, chances.shape[1]) for each in said]))
    smooth = uniform_filter(quality.reshape((len(_OFFSETS),) * others), _NEIGHBOURS, mode="nearest").ravel()
    best, plain = int(smooth.argmax()), len(grid) // 2
    if smooth[best] <= smooth[plain] + _WORTH:
        return ()
    return (0.0, *(round(float(offset), 3) for offset in grid[best]))


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


def fit_softmax(margins: NDArray[np.float64], labels: NDArray[np.int64]) -> tuple[float, NDArray[np.float64]]:
    """Fit (slope, biases) of softmax(slope · margins + biases) by the labels' likelihood; the first bias is 0.

    Temperature scaling (Guo et al. 2017) with a bias for each label (Alexandari, Kundaje and Shrikumar 2020): labels
    that were rarer in training than they are would else be told too seldom. All are bounded, where classes do not
    overlap.
    """
    told = np.eye(margins.shape[1])[labels]

    def loss(at: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scaled = at[0] * margins + np.concatenate([[0.0], at[1:]])
        logarithms = scaled - np.logaddexp.reduce(scaled, axis=1, keepdims=True)
        wrong = (np.exp(logarithms) - told) / len(labels)
        slopes = np.concatenate([[(wrong * margins).sum()], wrong.sum(axis=0)[1:]])
        return -float((logarithms * told).sum()) / len(labels), slopes

    others = margins.shape[1] - 1
    begun = np.concatenate([[1.0], np.zeros(others)])
    found = minimize(loss, begun, jac=True, method="L-BFGS-B", bounds=[_SLOPES, *[_BIASES] * others]).x
    return float(found[0]), np.concatenate([[0.0], found[1:]])


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
