"""What one source of the gateway has done, for the table and the metrics."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray  # noqa: TC002 a dataclass's field

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Seconds, upper bounds of the histogram's buckets.
LAG_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)


@dataclass
class SourceFigures:
    """Counts since the start; sizes as they are now. `state` is one word, `trouble` a line where there is any."""

    state: str = "starting"
    trouble: str = ""
    #: Once it has ended: where another run goes on, '' where it cannot.
    place: str = ""
    frames: int = 0
    events: int = 0
    filtered: int = 0
    letters: int = 0
    delivered: int = 0
    reconnects: int = 0
    #: Connections that did not go on where the one before ended.
    gaps: int = 0
    queue_events: int = 0
    queue_bytes: int = 0
    spool_bytes: int = 0
    spool_torn_bytes: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    lags: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(LAG_BOUNDS) + 1, np.int64))
    lag_sum_s: float = 0.0
    last_lag_s: float = 0.0

    def observe(self, stamps_ms: Sequence[int] | NDArray[np.int64], now_ms: int) -> None:
        """Count how far Kafka's acknowledgement lies behind the events' own times; never below 0."""
        if not len(stamps_ms):
            return
        lags = np.maximum(now_ms - np.asarray(stamps_ms, np.int64), 0) / 1_000
        self.lags += np.bincount(np.searchsorted(LAG_BOUNDS, lags), minlength=len(self.lags))
        self.lag_sum_s += float(lags.sum())
        self.last_lag_s = float(lags[-1])
