"""Quality on fixed rows: not worse than the champion by more than a margin, and above a floor."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from echopulse.registry.gates.gate import Finding, Gate
from echopulse.training import metrics
from echopulse.training.evaluation import Asked
from echopulse.training.metrics import METRICS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from echopulse.registry.gates.gate import Case


class Quality(Gate):
    """The metric, in points of percent; paired with the champion's answers on the same rows.

    Non-inferiority (Wellek 2010), one-sided at 2.5 %: passes where the lower end of the difference's two-sided 95 %
    interval is above -margin.
    """

    name: ClassVar[str] = "quality"
    split: str = "val"
    margin: float = Field(default=1.0, gt=0)
    floor: float = Field(default=0.0, ge=0, le=100)

    def check(self, case: Case) -> Finding:
        """Compare metric and difference with floor and margin."""
        rows, metric = case.rows(self.split), case.labelled.metric
        own = Asked(case.model, case.task, rows)
        value = float(METRICS[metric](own.counts))
        numbers = {"value": value, "rows": float(len(rows.labels))}
        if value < self.floor:
            return Finding(passed=False, told=f"{metric} {value:.2f} is below {self.floor:g}", numbers=numbers)
        if case.champion is None:
            return Finding(
                passed=True, told=f"{metric} {value:.2f}; there is no champion to compare with", numbers=numbers
            )
        theirs = Asked(case.champion, case.task, rows)
        low, difference = paired_difference(metric, rows.labels, own.chosen, theirs.chosen, len(case.labelled.labels))
        numbers |= {"champion": float(METRICS[metric](theirs.counts)), "difference": difference, "low": low}
        told = f"{metric} {value:.2f}, {difference:+.2f} against the champion, at the least {low:+.2f}"
        return Finding(low > -self.margin, f"{told}; the margin is {self.margin:g}", numbers)


def paired_difference(
    metric: str, gold: NDArray[np.int64], own: NDArray[np.int64], theirs: NDArray[np.int64], labels: int
) -> tuple[float, float]:
    """Return the lower end of the 95 % interval of a metric's difference on the same rows, and the difference."""
    cells = np.bincount((gold * labels + own) * labels + theirs, minlength=labels**3).reshape((labels,) * 3)
    difference, low, _ = metrics.paired_difference(metric, cells)
    return low, difference
