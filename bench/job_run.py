"""Events streamed through a running job: from the first one sent to all windows fired and all results committed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from bench.cpu import cpu_seconds, difference
from echopulse.gateway.dead_letters import DeadLetterProducer
from echopulse.gateway.event_time import aligned_end
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
    """One run: its events, the seconds until all were sent and until all was settled, and CPU seconds by process."""

    events: int
    sent_s: float
    seconds: float
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
    """Send the batches at full speed, close their windows and wait until the job is settled. Raises EchoPulseError."""
    bootstrap = settings.kafka.bootstrap
    last_ms: int = max(pc.max(batch.column("ts").cast(pa.int64())).as_py() for batch in batches)
    before, began = cpu_seconds(running.stack), time.perf_counter()
    with DeadLetterProducer(bootstrap) as letters, EventProducer(bootstrap, letters) as producer:
        for batch in batches:
            producer.send(batch)
        producer.flush()
        sent_s = time.perf_counter() - began
        producer.heartbeat(closing.heartbeat_ms(last_ms))
        settle(running.cluster, running.job_id, bootstrap, aligned_end(last_ms, closing.slide_ms))
    seconds, after = time.perf_counter() - began, cpu_seconds(running.stack)
    return Streamed(sum(batch.num_rows for batch in batches), sent_s, seconds, difference(before, after))


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
