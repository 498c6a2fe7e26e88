"""`echopulse ingest`: events into Kafka, out of a file, the simulator, a websocket or an SSE stream."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.output import counted, emit

if TYPE_CHECKING:
    from echopulse.gateway.replay import ReplayReport

app = App(name="ingest", help="Bring events in: a file, a simulator, a websocket, a stream.")
app.command("echopulse.cli.ingest_live:sim", name="sim", help="Simulate communities by a written scenario.")
app.command("echopulse.cli.ingest_live:websocket", name="websocket", help="Take events from a websocket.")
app.command("echopulse.cli.ingest_live:sse", name="sse", help="Take events from a stream of server-sent events.")
app.command("echopulse.cli.ingest_run:run", name="run", help="Run all sources of a gateway.yaml.")
app.command("echopulse.cli.ingest_bridge:bridge", name="bridge", help="Carry events from NATS JetStream to Kafka.")


@app.command
def replay(
    file: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    rate: float | None = None,
    loop: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    keep_time: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    columns: Annotated[str, Parameter(name="--map", show_default=False)] = "",
    heartbeat: Annotated[bool, Parameter(show_default=False)] = True,
    options: GlobalOptions = NO_OPTIONS,
) -> None:
    """Send the events of a file: JSONL, CSV or Parquet.

    The form follows the ending: .jsonl, .ndjson, .csv (each also with
    .gz, .bz2, .zst) or .parquet. Its fields are id, ts, source, channel,
    user, raw, meta. Times are moved so that the newest is now. A row that
    cannot be an event becomes a dead letter on social.dlq, with its reason
    and FILE:LINE.

    Parameters
    ----------
    file
        The file; - reads JSONL from standard input, with --keep-time.
    rate
        Events a second; without it, full speed.
    loop
        Again and again until Ctrl-C, each event at the time of sending.
    keep_time
        Leave the events' own times.
    columns
        FIELD=COLUMN,FIELD=COLUMN where columns have other names.
    heartbeat
        Close the last slide at the end, so that its windows fire; live
        events within its rest (up to 5 minutes) would then be late.
    """
    from echopulse.cli.ingest_progress import ingest_progress
    from echopulse.cli.interrupt import ended_by_signal
    from echopulse.gateway.dead_letters import DeadLetterProducer
    from echopulse.gateway.field_mapping import parse_mapping
    from echopulse.gateway.producer import EventProducer
    from echopulse.gateway.replay import Closing, check_replay
    from echopulse.gateway.replay import replay as replay_file
    from echopulse.gateway.replay_formats import check_columns
    from echopulse.gateway.topics_admin import ensure_topics

    settings = options.settings()
    mapping = parse_mapping(columns)
    check_columns(check_replay(file, rate=rate, loop=loop, keep_time=keep_time), mapping)
    kafka = settings.kafka
    ensure_topics(kafka.bootstrap, replication=kafka.replication)
    with (
        ended_by_signal(),
        DeadLetterProducer(kafka.bootstrap) as dead_letters,
        EventProducer(kafka.bootstrap, dead_letters) as producer,
        ingest_progress(str(file)) as on_progress,
    ):
        report = replay_file(
            file,
            producer,
            dead_letters,
            rate=rate,
            loop=loop,
            keep_time=keep_time,
            mapping=mapping,
            closing=Closing(delay_ms=settings.job.watermark_delay_ms) if heartbeat else None,
            on_progress=on_progress,
        )
    emit(asdict(report), options.json, lambda: _told(report))


def _told(report: ReplayReport) -> str:
    """Tell the report in a line or two."""
    from echopulse.gateway.event_time import iso

    speed = f", {report.events / report.seconds:,.0f} a second" if report.seconds else ""
    counts = f"{counted(report.events, 'event')}, {counted(report.dead_letters, 'dead letter')}"
    lines = [f"{counts} in {report.seconds:.1f} s{speed}"]
    if report.first_ts_ms is not None and report.last_ts_ms is not None:
        moved = f", moved by {report.shift_ms} ms" if report.shift_ms else ""
        lines.append(f"event times {iso(report.first_ts_ms)} to {iso(report.last_ts_ms)}{moved}")
    if report.aligned_end_ms is not None:
        lines.append(f"windows up to {iso(report.aligned_end_ms)} may fire")
    return "\n".join(lines)
