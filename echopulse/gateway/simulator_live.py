"""The simulated stream in real time: each event is sent when its moment has come, and silence moves the watermark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa

from echopulse.gateway.dead_letters import now_ms

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator

#: Events of one step are sent together, when the last of them has happened.
STEP_MS = 50
#: A partition whose channels are silent holds every window back so long.
HEARTBEAT_MS = 200


class LiveSink(Protocol):
    """Where a live stream goes: EventProducer, or a list in a test."""

    def send(self, events: pa.RecordBatch) -> None:
        """Take a batch in schema EVENT."""

    def heartbeat(self, ts_ms: int) -> None:
        """Move every partition's watermark to `ts_ms` (ms, UTC)."""


@dataclass
class LiveReport:
    """What was sent so far; times in ms UTC. `behind_ms` is how far the latest step was sent behind its time."""

    events: int = 0
    first_ts_ms: int | None = None
    last_ts_ms: int | None = None
    behind_ms: int = 0


class LiveStream:
    """Sends batches at the wall time of their events, with heartbeats on every partition.

    A heartbeat never runs ahead of an event still to be sent: it bears the wall time, or the time of the next event
    where sending lies behind.
    """

    def __init__(self, sink: LiveSink, stop: threading.Event, clock: Callable[[], int] = now_ms) -> None:
        """Make it ready; setting `stop` ends it after the step that is being sent. `clock` is the wall time in ms."""
        self.report = LiveReport()
        self._sink, self._stop, self._clock = sink, stop, clock
        self._heartbeat_due_ms = 0

    def run(
        self,
        batches: Iterable[pa.RecordBatch],
        *,
        settle_ms: int = 0,
        on_progress: Callable[[LiveReport], None] = lambda _: None,
    ) -> LiveReport:
        """Send all batches, ordered by time; then go on with heartbeats for `settle_ms`, so that windows close."""
        for batch in batches:
            for piece in steps(batch):
                if not self._send(piece):
                    return self._ended(0)
            on_progress(self.report)
        return self._ended(settle_ms)

    def _send(self, piece: pa.RecordBatch) -> bool:
        """Send a step when it is due; False where the stream was stopped before."""
        first, last = (piece.column("ts")[row].value for row in (0, piece.num_rows - 1))
        if not self._wait_until(last, ahead_ms=first):
            return False
        self.report.behind_ms = self._clock() - last
        self._sink.send(piece)
        self.report.events += piece.num_rows
        self.report.first_ts_ms = first if self.report.first_ts_ms is None else self.report.first_ts_ms
        self.report.last_ts_ms = last
        self._heartbeat_if_due(last)
        return True

    def _wait_until(self, due_ms: int, ahead_ms: int) -> bool:
        """Wait for a moment with heartbeats, none later than `ahead_ms`; False where stopped."""
        while (now := self._clock()) < due_ms:
            self._heartbeat_if_due(ahead_ms)
            if self._stop.wait((min(due_ms, max(self._heartbeat_due_ms, now + 1)) - now) / 1_000):
                return False
        return not self._stop.is_set()

    def _heartbeat_if_due(self, ahead_ms: int) -> None:
        now = self._clock()
        if now >= self._heartbeat_due_ms:
            self._sink.heartbeat(min(now, ahead_ms))
            self._heartbeat_due_ms = now + HEARTBEAT_MS

    def _ended(self, settle_ms: int) -> LiveReport:
        now = self._clock()
        self._wait_until(now + settle_ms, ahead_ms=now + settle_ms)
        if self.report.events:
            self._sink.heartbeat(self._clock())
        return self.report


def steps(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Cut a batch ordered by time into slices of one step (STEP_MS) each, without copying."""
    step = batch.column("ts").cast(pa.int64()).to_numpy() // STEP_MS
    cuts = np.flatnonzero(np.diff(step)) + 1
    for start, end in zip([0, *cuts.tolist()], [*cuts.tolist(), batch.num_rows], strict=True):
        yield batch.slice(start, end - start)
