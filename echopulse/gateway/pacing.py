"""Events at a chosen rate."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

#: How often in a second a paced stream moves on.
_STEPS_PER_SECOND = 20


class Pace:
    """Lets `rate` events a second through, or all at once where `rate` is None."""

    def __init__(self, rate: float | None) -> None:
        """Start the clock at the first batch."""
        self._rate = rate
        self._started: float | None = None
        self._passed = 0

    def slices(self, events: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Yield the batch in slices, each when its time has come."""
        if self._rate is None:
            yield events
            return
        if self._started is None:
            self._started = time.monotonic()
        step = max(1, round(self._rate / _STEPS_PER_SECOND))
        for start in range(0, events.num_rows, step):
            due = self._started + self._passed / self._rate
            time.sleep(max(0.0, due - time.monotonic()))
            piece = events.slice(start, step)
            self._passed += piece.num_rows
            yield piece
