"""One series of values watched for drift: a baseline is learnt, then each pane of values is held against it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from transforms.adwin import Adwin
from transforms.drift_distance import Distance, dispersion, distance, pooled
from transforms.drift_sketch import Sketch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from transforms.drift_measures import Measure

Method = Literal["distribution", "adwin"]


@dataclass(frozen=True)
class Rules:
    """When a series has drifted.

    The baseline is `baseline_panes` panes of `pane_events` values. A pane differs where its distance has a probability
    of at most `false_alarms` and a PSI of at least `least_psi`; a series has drifted once `persist` panes in a row do.
    ADWIN cuts with the confidence `false_alarms` too, and counts where the mean moved by `least_shift` standard
    deviations of the baseline.
    """

    pane_events: int = 1_000
    baseline_panes: int = 40
    false_alarms: float = 1e-5
    least_psi: float = 0.1
    least_shift: float = 0.2
    persist: int = 3


@dataclass(frozen=True)
class Shift:
    """A drift of one series: `since_ms` is when the first pane that differs began, `ts_ms` when the last one ended."""

    method: Method
    since_ms: int
    ts_ms: int
    distance: Distance
    mean_before: float
    mean_after: float


@dataclass
class Series:
    """What is kept of one series; its size does not grow with the values."""

    measure: Measure
    rules: Rules
    #: The panes of the baseline while it is learnt, then none.
    learning: list[Sketch] = field(default_factory=list)
    baseline: Sketch | None = None
    starts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    spread: float = 1.0
    pane: Sketch | None = None
    since_ms: int = 0
    #: When each of the last panes that differ began.
    differing: list[int] = field(default_factory=list)
    drifted: bool = False
    latest: Distance | None = None
    #: How many panes were held against the baseline.
    tested: int = 0
    adwin: Adwin | None = None
    #: For so many panes ADWIN tells nothing: a window is cut again while the last of the old values leave it.
    quiet: int = 0

    def add(self, values: NDArray[np.float64], ts_ms: NDArray[np.int64]) -> list[Shift]:
        """Take values without NaN, with their times, in the order they came; return the drifts found."""
        values = np.clip(values, self.measure.low, self.measure.high)
        shifts, done = [], 0
        while done < len(values):
            pane = self.pane or Sketch.empty(self.measure.edges)
            if not pane.rows:
                self.since_ms = int(ts_ms[done])
            end = min(len(values), done + self.rules.pane_events - pane.rows)
            self.pane = pane.merged(Sketch.of(values[done:end], self.measure.edges))
            if self.pane.rows == self.rules.pane_events:
                shifts += self._closed(self.pane, int(ts_ms[done:end].max()))
                self.pane = None
            done = end
        return shifts

    def _closed(self, pane: Sketch, ts_ms: int) -> list[Shift]:
        if self.baseline is None:
            self.learning.append(pane)
            if len(self.learning) == self.rules.baseline_panes:
                self._learn()
            return []
        baseline = np.add.reduceat(self.baseline.counts, self.starts)
        found = distance(baseline, np.add.reduceat(pane.counts, self.starts), self.spread, self.rules.baseline_panes)
        self.latest = found
        self.tested += 1
        return [*self._differs(found, pane, ts_ms), *self._moved(found, pane, ts_ms)]

    def _learn(self) -> None:
        whole = self.learning[0]
        for pane in self.learning[1:]:
            whole = whole.merged(pane)
        self.baseline = whole
        self.starts = pooled(whole.counts, self.rules.pane_events)
        panes = np.add.reduceat(np.array([pane.counts for pane in self.learning]), self.starts, axis=1)
        self.spread = dispersion(panes)
        span = self.measure.high - self.measure.low
        self.adwin = Adwin(self.rules.false_alarms, span, self.spread) if self.measure.ordered else None
        self.learning = []

    def _differs(self, found: Distance, pane: Sketch, ts_ms: int) -> list[Shift]:
        if found.p > self.rules.false_alarms or found.psi < self.rules.least_psi:
            self.differing, self.drifted = [], False
            return []
        self.differing = [*self.differing, self.since_ms][-self.rules.persist :]
        if self.drifted or len(self.differing) < self.rules.persist:
            return []
        self.drifted = True
        before = self.baseline.mean if self.baseline else 0.0
        return [Shift("distribution", self.differing[0], ts_ms, found, before, pane.mean)]

    def _moved(self, found: Distance, pane: Sketch, ts_ms: int) -> list[Shift]:
        if self.adwin is None or self.baseline is None:
            return []
        means = self.adwin.add(pane.rows, pane.total, pane.squares)
        self.quiet = max(0, self.quiet - 1)
        if means is None or self.quiet or abs(means[1] - means[0]) < self.rules.least_shift * self.baseline.deviation:
            return []
        self.quiet = 2 * self.rules.persist
        return [Shift("adwin", self.since_ms, ts_ms, found, *means)]
