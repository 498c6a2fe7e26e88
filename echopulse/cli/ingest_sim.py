"""The two ways of `echopulse ingest sim`: live to Kafka, or to a file."""

from __future__ import annotations

import secrets
import sys
import threading
import time
from dataclasses import asdict, replace
from typing import Any

from echopulse.cli.context import GlobalOptions
from echopulse.cli.ingest_progress import ingest_progress
from echopulse.cli.output import counted, emit
from echopulse.cli.stop_signal import stopped_by_signal
from echopulse.gateway.dead_letters import DeadLetterProducer, now_ms
from echopulse.gateway.event_files import STANDARD_OUTPUT, check_output, event_writer
from echopulse.gateway.event_time import iso, milliseconds
from echopulse.gateway.producer import EventProducer
from echopulse.gateway.replay import Progress
from echopulse.gateway.simulator import Run
from echopulse.gateway.simulator_live import LiveStream
from echopulse.gateway.simulator_plan import ground_truth
from echopulse.gateway.topics_admin import ensure_topics
from schemas.errors import UsageError

_SEEDS = 2**31
#: Sending that lies further behind is worth a line.
_BEHIND_MS = 1_000


def simulate_live(run: Run, settle_s: float, options: GlobalOptions) -> None:
    """Stream to Kafka at wall time and print what was sent. Raises EchoPulseError."""
    settings = options.settings()
    run = replace(run, seed=secrets.randbelow(_SEEDS) if run.seed is None else run.seed)
    kafka = settings.kafka
    simulator = run.simulator()
    ensure_topics(kafka.bootstrap, replication=kafka.replication)
    stop = threading.Event()
    with (
        stopped_by_signal(stop.set),
        DeadLetterProducer(kafka.bootstrap) as letters,
        EventProducer(kafka.bootstrap, letters) as producer,
        ingest_progress(run.scenario.name) as draw,
    ):
        start_ms = now_ms()
        report = LiveStream(producer, stop).run(
            run.batches(start_ms, simulator),
            settle_ms=round(settle_s * 1_000),
            on_progress=lambda sent: draw(Progress(sent.events, producer.failed, 0.0)),
        )
        producer.flush()
        failed = producer.failed
    ran_s = ((report.last_ts_ms or start_ms) - start_ms) / 1_000
    document = asdict(report) | {"events": report.events - failed, "dead_letters": failed}
    emit(document | _planted(run, start_ms, ran_s), options.json, lambda: _told(document, run))


def simulate_to_file(run: Run, output: str, start: str | None, options: GlobalOptions) -> None:
    """Write a file of events and print what it holds. Raises UsageError, EchoPulseError."""
    check_output(output)
    start_ms = now_ms() if start is None else _start(start)
    unlimited = run.duration_s is None and run.events is None
    run = replace(run, seed=run.seed or 0, duration_s=run.scenario.duration_s if unlimited else run.duration_s)
    began, count, last_ms = time.monotonic(), 0, start_ms
    with event_writer(output) as writer, ingest_progress(run.scenario.name) as draw:
        for batch in run.batches(start_ms):
            writer.write(batch)
            count += batch.num_rows
            last_ms = batch.column("ts")[batch.num_rows - 1].value
            draw(Progress(count, 0, count / run.events if run.events else 0.0))
    seconds = round(time.monotonic() - began, 3)
    document = {"output": output, "events": count, "first_ts_ms": start_ms, "last_ts_ms": last_ms, "seconds": seconds}
    if output == STANDARD_OUTPUT:
        # Standard output holds the events.
        sys.stderr.write(f"{_told(document, run)}\n")
        return
    emit(document | _planted(run, start_ms, (last_ms - start_ms) / 1_000), options.json, lambda: _told(document, run))


def _start(text: str) -> int:
    try:
        return milliseconds(text)
    except ValueError:
        raise UsageError(f"--start {text} is not a time", "like 2026-01-31T12:00:00Z") from None


def _planted(run: Run, start_ms: int, ran_s: float) -> dict[str, Any]:
    """Return what was planted, for those who look for it: accounts are told by their number only."""
    phases = ground_truth(run.scenario, start_ms=start_ms, duration_s=ran_s)
    return {"seed": run.seed, "phases": [asdict(phase) | {"accounts": len(phase.accounts)} for phase in phases]}


def _told(document: dict[str, Any], run: Run) -> str:
    lines = [f"{counted(document['events'], 'event')} of '{run.scenario.name}', seed {run.seed}"]
    if document.get("dead_letters"):
        lines.append(f"{document['dead_letters']:,} were refused and are on social.dlq")
    if document["events"]:
        lines.append(f"event times {iso(document['first_ts_ms'])} to {iso(document['last_ts_ms'])}")
    if document.get("behind_ms", 0) > _BEHIND_MS:
        lines.append(f"sending lay {document['behind_ms'] / 1_000:.1f} s behind at the end: the rate is too high here")
    return "\n".join(lines)
