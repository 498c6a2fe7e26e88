"""When events went in and when their results could be read: latency and freshness, in ms."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from confluent_kafka import TopicPartition

from echopulse.job.topic_reader import Position, consumer
from schemas import topics

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_BATCH = 5_000


def percentiles(milliseconds: NDArray[np.float64]) -> dict[str, float | None]:
    """Return p50 and p99 in ms, rounded to a tenth; None where there is nothing to measure."""
    if not len(milliseconds):
        return {"p50": None, "p99": None}
    p50, p99 = np.percentile(milliseconds, [50, 99])
    return {"p50": round(float(p50), 1), "p99": round(float(p99), 1)}


@dataclass
class SendLog:
    """The wall time at which the events up to an event time had been sent; both in ms UTC, in order."""

    event_ms: list[int] = field(default_factory=list)
    wall_ms: list[int] = field(default_factory=list)

    def sent(self, last_event_ms: int) -> None:
        """Note that events up to `last_event_ms` have gone out now."""
        self.event_ms.append(max(last_event_ms, self.event_ms[-1]) if self.event_ms else last_event_ms)
        self.wall_ms.append(time.time_ns() // 1_000_000)

    def wall_of(self, event_ms: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the wall time at which each event time had been sent, by linear interpolation between notes."""
        if not self.event_ms:
            return np.full(len(event_ms), np.nan)
        return np.interp(event_ms, self.event_ms, self.wall_ms)


class AnalysisProbe(threading.Thread):
    """Reads one partition of `social.analysis` as a user would and notes when each committed result came.

    One partition, because a reader of all would take cores from the job that it measures.
    """

    def __init__(self, bootstrap: str, start: Position) -> None:
        """Prepare to read partition 0 from `start` on."""
        super().__init__(name="analysis-probe", daemon=True)
        self._consumer = consumer(bootstrap)
        self._consumer.assign([TopicPartition(topics.ANALYSIS, 0, start.offsets[0])])
        self._ended = threading.Event()
        self._event_ms: list[int] = []
        self._wall_ms: list[int] = []

    def run(self) -> None:
        """Read until told to end."""
        while not self._ended.is_set():
            messages = self._consumer.consume(_BATCH, timeout=0.1)
            now = time.time_ns() // 1_000_000
            self._event_ms += [message.timestamp()[1] for message in messages if message.error() is None]
            self._wall_ms += [now] * (len(self._event_ms) - len(self._wall_ms))
        self._consumer.close()

    def end(self, timeout_s: float = 10.0) -> None:
        """Stop reading."""
        self._ended.set()
        self.join(timeout_s)

    def latencies(self, log: SendLog) -> NDArray[np.float64]:
        """Return, for each result read, the ms from its event's sending to its being readable."""
        arrived = np.array(self._wall_ms, np.float64)
        return np.maximum(arrived - log.wall_of(np.array(self._event_ms, np.int64)), 0.0)


def freshness(rows: pa.Table, log: SendLog, before_end_ms: int = 0) -> NDArray[np.float64]:
    """Return, for feature rows (event_timestamp, written_ms), the ms from sending a window's last event to its row.

    A window ends at its event time; it can be read online once that time has passed and its row is written. Counted
    from the sending of events so many ms before that end, it is what the first event of the newest step waited.
    """
    ends = rows.column("event_timestamp").cast("timestamp[ms]").cast("int64").to_numpy()
    written: NDArray[np.float64] = rows.column("written_ms").to_numpy().astype(np.float64)
    return np.maximum(written - log.wall_of(ends - before_end_ms), 0.0)
