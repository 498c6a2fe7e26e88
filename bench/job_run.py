"""Events streamed through a running job: from the first one sent until the last result is committed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from bench.cpu import cpu_seconds, difference
from echopulse.gateway.dead_letters import DeadLetterProducer
from echopulse.gateway.producer import EventProducer
from echopulse.job.audit import audit, positions
from echopulse.job.settle import settle
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from echopulse.gateway.replay import Closing
    from echopulse.job.launch import Pipeline
    from echopulse.settings import Settings


@dataclass(frozen=True)
class Streamed:
    """One run: seconds until all events were sent, until all their results were committed, and CPU seconds by process.

    Windows that end by the last event's watermark have fired by then. `closing_s` is what the rest took afterwards.
    """

    events: int
    sent_s: float
    seconds: float
    closing_s: float
    cpu: Mapping[str, float]

    @property
    def per_second(self) -> float:
        """Events a second, by the wall."""
        return self.events / self.seconds

    @property
    def per_core(self) -> float:
        """Events a second and core used: events by CPU seconds of all processes."""
        return self.events / sum(self.cpu.values())


def stream(settings: Settings, running: Pipeline, batches: Sequence[pa.RecordBatch], closing: Closing) -> Streamed:
    """Send the batches at full speed, wait for their results, then close their windows. Raises EchoPulseError."""
    bootstrap = settings.kafka.bootstrap
    last_ms: int = max(pc.max(batch.column("ts").cast(pa.int64())).as_py() for batch in batches)
    before, began = cpu_seconds(running.stack), time.perf_counter()
    with DeadLetterProducer(bootstrap) as letters, EventProducer(bootstrap, letters) as producer:
        for batch in batches:
            producer.send(batch)
        producer.flush()
        sent_s = time.perf_counter() - began
        # Without it the slowest partition's last event would hold the watermark back.
        producer.heartbeat(last_ms)
        settle(running.cluster, running.job_id, bootstrap, last_ms - closing.delay_ms)
        seconds, after = time.perf_counter() - began, cpu_seconds(running.stack)
        producer.heartbeat(closing.heartbeat_ms(last_ms))
        settle(running.cluster, running.job_id, bootstrap, closing.due_ms(last_ms))
        closing_s = time.perf_counter() - began - seconds
    return Streamed(sum(batch.num_rows for batch in batches), sent_s, seconds, closing_s, difference(before, after))


def stream_audited(
    settings: Settings, running: Pipeline, batches: Sequence[pa.RecordBatch], closing: Closing
) -> Streamed:
    """Stream and audit: a run that lost, doubled or refused an event, or restarted, is no measurement."""
    start = positions(settings.kafka.bootstrap)
    restarts = running.cluster.restarts(running.job_id)
    streamed = stream(settings, running, batches, closing)
    books = audit(settings.kafka.bootstrap, start)
    restarts = running.cluster.restarts(running.job_id) - restarts
    if books.unaccounted or books.analysed != streamed.events or restarts:
        raise EchoPulseError(f"{streamed.events:,} events sent and not all analysed once: {books}, {restarts} restarts")
    return streamed
