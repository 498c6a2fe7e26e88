"""How far two distributions lie apart, and how likely that is where nothing changed: PSI and Kolmogorov-Smirnov.

The population stability index of samples of n and m over B bins, times nm / (n + m), is distributed as chi-square with
B - 1 degrees of freedom where both are drawn from one distribution (Yurdakul, "Statistical Properties of Population
Stability Index", 2018). Chat is not drawn independently: people answer each other. How much more samples of one stream
differ than independent ones would is measured between the panes of the baseline, and the statistic divided by it: the
ratio of two mean squares has an F distribution (Rao and Scott, "On Chi-Squared Tests for Multiway Contingency Tables",
1984, first order).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: A bin of the tests holds at least so many values of a pane, as expected of the baseline.
LEAST_EXPECTED = 10.0
#: What an empty bin counts as.
_EMPTY = 0.5


@dataclass(frozen=True)
class Distance:
    """How far a sample lies from its baseline, and the probability of that or more where nothing changed."""

    psi: float
    ks: float
    p_psi: float
    p_ks: float

    @property
    def p(self) -> float:
        """The probability that either is so large (Bonferroni)."""
        return min(1.0, 2 * min(self.p_psi, self.p_ks))


def pooled(baseline: NDArray[np.int64], rows: int) -> NDArray[np.int64]:
    """Return where joined bins begin, so that each is expected to hold LEAST_EXPECTED of `rows` values.

    Neighbours are joined from the left; what is left at the right belongs to the last.
    """
    expected = baseline / max(int(baseline.sum()), 1) * rows
    starts, held = [0], 0.0
    for place, value in enumerate(expected.tolist()):
        if held >= LEAST_EXPECTED and expected[place:].sum() >= LEAST_EXPECTED:
            starts.append(place)
            held = 0.0
        held += value
    return np.array(starts, np.int64)


def psi(before: NDArray[np.int64], after: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the population stability index of counts [..., bins]: sum of (q - p) ln(q / p)."""
    first, second = _shares(before), _shares(after)
    found: NDArray[np.float64] = ((second - first) * np.log(second / first)).sum(axis=-1)
    return found


def ks(before: NDArray[np.int64], after: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the largest difference of the cumulative shares of counts [..., bins]."""
    steps = [np.cumsum(each, axis=-1) / np.maximum(each.sum(axis=-1, keepdims=True), 1) for each in (before, after)]
    found: NDArray[np.float64] = np.abs(steps[0] - steps[1]).max(axis=-1)
    return found


def dispersion(panes: NDArray[np.int64]) -> float:
    """Return how many times further panes [panes, bins] lie from each other than independent samples would, at least 1.

    Each is held against all others; bins are those of the tests.
    """
    bins = panes.shape[1]
    if bins == 1:
        return 1.0
    others = panes.sum(axis=0) - panes
    ratios = psi(others, panes) * _size(others, panes) / (bins - 1)
    return max(1.0, float(np.mean(ratios)))


def distance(baseline: NDArray[np.int64], pane: NDArray[np.int64], spread: float, panes: int) -> Distance:
    """Hold a pane's counts [bins] against the baseline's, whose dispersion is `spread`, measured on so many panes."""
    degrees = len(baseline) - 1
    found, largest = float(psi(baseline, pane)), float(ks(baseline, pane))
    if degrees == 0:
        return Distance(found, largest, 1.0, 1.0)
    size = float(_size(baseline, pane))
    ratio = found * size / degrees / spread
    p_psi = float(special.fdtrc(degrees, degrees * max(panes - 1, 1), ratio))
    return Distance(found, largest, p_psi, float(special.kolmogorov(largest * np.sqrt(size / spread))))


def _shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    held = np.where(counts == 0, _EMPTY, counts)
    shares: NDArray[np.float64] = held / held.sum(axis=-1, keepdims=True)
    return shares


def _size(before: NDArray[np.int64], after: NDArray[np.int64]) -> NDArray[np.float64]:
    first, second = before.sum(axis=-1), after.sum(axis=-1)
    size: NDArray[np.float64] = first * second / np.maximum(first + second, 1)
    return size
