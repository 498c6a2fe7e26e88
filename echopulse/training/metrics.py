"""TweetEval's metrics over confusion counts, with bootstrap intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

RESAMPLES = 1_000
#: Two-sided 95 % percentile interval.
INTERVAL = (2.5, 97.5)


def confusion(gold: NDArray[np.int64], said: NDArray[np.int64], labels: int) -> NDArray[np.int64]:
    """Count [gold label, said label]."""
    return np.bincount(gold * labels + said, minlength=labels * labels).reshape(labels, labels)


def macro_recall(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean recall over the labels that occur, in percent; counts [..., gold, said]."""
    rows = counts.sum(axis=-1)
    recall = np.diagonal(counts, axis1=-2, axis2=-1) / np.maximum(rows, 1)
    mean: NDArray[np.float64] = 100.0 * recall.sum(axis=-1) / np.maximum((rows > 0).sum(axis=-1), 1)
    return mean


def macro_f1(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean F1 over the labels that occur or are said, in percent; counts [..., gold, said]."""
    both = counts.sum(axis=-1) + counts.sum(axis=-2)
    f1 = 2.0 * np.diagonal(counts, axis1=-2, axis2=-1) / np.maximum(both, 1)
    mean: NDArray[np.float64] = 100.0 * f1.sum(axis=-1) / np.maximum((both > 0).sum(axis=-1), 1)
    return mean


def f1_favor_against(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean of the F1 of against and of favor, labels 1 and 2 of stance, in percent; counts [..., gold, said].

    SemEval-2016 task 6's measure; TweetEval pools all targets before it.
    """
    both = counts.sum(axis=-1) + counts.sum(axis=-2)
    f1: NDArray[np.float64] = 200.0 * np.diagonal(counts, axis1=-2, axis2=-1) / np.maximum(both, 1)
    return np.asarray(f1[..., 1:].mean(axis=-1))


METRICS: dict[str, Callable[[NDArray[np.int64]], NDArray[np.float64]]] = {
    "macro_recall": macro_recall,
    "macro_f1": macro_f1,
    "f1_favor_against": f1_favor_against,
}


def interval(metric: str, counts: NDArray[np.int64], seed: int = 0) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of a metric (Efron and Tibshirani 1993, chapter 13).

    To draw rows with replacement is to draw the cells of the confusion matrix from a multinomial distribution.
    """
    total = int(counts.sum())
    drawn = np.random.default_rng(seed).multinomial(total, (counts / total).ravel(), RESAMPLES)
    low, high = np.percentile(METRICS[metric](drawn.reshape(-1, *counts.shape)), INTERVAL)
    return float(low), float(high)


def paired_difference(metric: str, cells: NDArray[np.int64], seed: int = 0) -> tuple[float, float, float]:
    """Return by how much a metric of one model's answers exceeds another's on the same rows, and its 95 % interval.

    `cells` counts [gold, one's answer, the other's]. Paired bootstrap: rows are drawn with both answers.
    """
    total = int(cells.sum())
    drawn = np.random.default_rng(seed).multinomial(total, (cells / total).ravel(), RESAMPLES)
    both = np.concatenate([cells.ravel()[None], drawn]).reshape(-1, *cells.shape)
    differences = METRICS[metric](both.sum(axis=3)) - METRICS[metric](both.sum(axis=2))
    low, high = np.percentile(differences[1:], INTERVAL)
    return float(differences[0]), float(low), float(high)


def calibration_error(probabilities: NDArray[np.float64], positive: NDArray[np.int64], bins: int = 10) -> float:
    """Expected calibration error over equal-width bins (Naeini, Cooper and Hauskrecht 2015), 0 to 1."""
    which = np.minimum((probabilities * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(which, probabilities - positive, minlength=bins)
    return float(np.abs(gaps).sum() / len(probabilities))
