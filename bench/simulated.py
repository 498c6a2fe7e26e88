"""The simulator's events as batches in memory, made before anything is timed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from echopulse.gateway.event_time import aligned_end
from echopulse.gateway.scenario import load_scenario
from echopulse.gateway.simulator import simulate
from features.machinery.silence import LATER_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Events in a second of event time: about the speed that two cores reach, so that windows close as often as they would
#: on a live stream of that speed.
RATE = 20_000
_BEFORE_MS = 6 * 3_600_000


@dataclass(frozen=True)
class EventClock:
    """Hands out spans of event time that follow each other, all in the past and each from the start of a slide on."""

    slide_ms: int
    first_ms: int

    @classmethod
    def hours_ago(cls, slide_ms: int) -> EventClock:
        """Return a clock that begins six hours before now."""
        return cls(slide_ms, aligned_end(time.time_ns() // 1_000_000 - _BEFORE_MS, slide_ms))

    def after(self, batches: Sequence[pa.RecordBatch]) -> EventClock:
        """Return the clock that begins where the slide of the last event ends."""
        last = batches[-1].column("ts").cast(pa.int64())[-1].as_py()
        return EventClock(self.slide_ms, aligned_end(last, self.slide_ms))

    @property
    def start_ms(self) -> int:
        """When the next events begin, ms UTC: a second ahead of the watermark that closed the last."""
        return self.first_ms + LATER_MS + 1_000


def events(count: int, start_ms: int, seed: int) -> list[pa.RecordBatch]:
    """Return `count` events of the shipped scenario from `start_ms` (UTC) on; each seed has ids of its own."""
    return list(simulate(load_scenario(), start_ms=start_ms, seed=seed, rate=RATE, events=count))


def rebatched(batches: Sequence[pa.RecordBatch], rows: int) -> list[pa.RecordBatch]:
    """Return the same events in batches of `rows`, the last one shorter."""
    table = pa.Table.from_batches(batches).combine_chunks()
    return list(table.to_batches(max_chunksize=rows))
