"""ADWIN: a window of values that grows while their mean stays, and drops its older part where it changed.

Bifet and Gavaldà, "Learning from Time-Changing Data with Adaptive Windowing" (2007), in its exact form: every cut
between two panes is looked at, with the bound of section 3 that takes the variance into account. Panes are kept by
their sums, so that a few hundred cover millions of values; beyond that the oldest are let go.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Panes that a window holds at most, and at least on each side of a cut.
LONGEST = 400
SHORTEST = 3


@dataclass
class Adwin:
    """A window over panes of values; `delta` bounds how likely a cut is at one pane where nothing changed.

    `span` is the range of the values. `spread` says how many values weigh as much as one independent value does.
    `panes` are (how many values, their sum, their sum of squares).
    """

    delta: float
    span: float = 1.0
    spread: float = 1.0
    panes: list[tuple[int, float, float]] = field(default_factory=list)

    def add(self, rows: int, total: float, squares: float) -> tuple[float, float] | None:
        """Take a pane; return the means before and after where the window was cut, None where it was not."""
        self.panes.append((rows, total, squares))
        del self.panes[: max(0, len(self.panes) - LONGEST)]
        found = None
        while (cut := self._cut()) is not None:
            before, after = self.panes[:cut], self.panes[cut:]
            found = (found[0] if found else _mean(before), _mean(after))
            self.panes = after
        return found

    def _cut(self) -> int | None:
        """Return the cut whose means differ most beyond their bound, None where none does."""
        if len(self.panes) < 2 * SHORTEST:
            return None
        rows, totals, squares = np.array(self.panes).T
        excess = np.abs(differences(rows, totals)) - bounds(rows, totals, squares, self)
        place = int(np.argmax(excess))
        return place + SHORTEST if excess[place] > 0 else None


def differences(rows: NDArray[np.float64], totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how much the mean behind each cut is above that before it; SHORTEST panes stay on each side."""
    before, left = _before(rows), _before(totals)
    found: NDArray[np.float64] = (totals.sum() - left) / (rows.sum() - before) - left / before
    return found


def bounds(
    rows: NDArray[np.float64], totals: NDArray[np.float64], squares: NDArray[np.float64], window: Adwin
) -> NDArray[np.float64]:
    """Return what the difference at each cut stays below with a probability of 1 - delta: equation 3.1 of the paper.

    Its confidence is divided by the number of cuts.
    """
    count = rows.sum()
    before = _before(rows)
    harmonic = 1 / (1 / before + 1 / (count - before)) / window.spread
    variance = max(squares.sum() / count - (totals.sum() / count) ** 2, 0.0)
    logarithm = math.log(2 * len(rows) / window.delta)
    deviation = np.sqrt(2 / harmonic * variance * logarithm)
    found: NDArray[np.float64] = deviation + 2 / (3 * harmonic) * logarithm * window.span
    return found


def _before(values: NDArray[np.float64]) -> NDArray[np.float64]:
    sums: NDArray[np.float64] = np.cumsum(values)[SHORTEST - 1 : len(values) - SHORTEST]
    return sums


def _mean(panes: list[tuple[int, float, float]]) -> float:
    return sum(total for _, total, _ in panes) / max(sum(rows for rows, _, _ in panes), 1)
