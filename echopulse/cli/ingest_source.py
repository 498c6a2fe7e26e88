"""Runs a live source for `echopulse ingest websocket|sse`: Kafka behind it, signals, progress and the summary."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from echopulse.cli.context import GlobalOptions
from echopulse.cli.ingest_progress import ingest_progress
from echopulse.cli.output import emit
from echopulse.cli.stop_signal import stopped_by_signal
from echopulse.gateway.dead_letters import DeadLetterProducer
from echopulse.gateway.live_run import LiveRun
from echopulse.gateway.mapping import Mapping
from echopulse.gateway.original_form import OriginalForm
from echopulse.gateway.producer import EventProducer
from echopulse.gateway.replay import Progress
from echopulse.gateway.source import Limits, LiveSource
from echopulse.gateway.topics_admin import ensure_topics
from schemas.errors import UsageError

_FROM_ENVIRONMENT = "env:"


def run_source(
    source: LiveSource,
    mapping: Mapping,
    limits: Limits,
    frames: int | None,
    options: GlobalOptions,
    *,
    mapping_name: str = "",
) -> None:
    """Run a source until it ends or a signal comes, and print what came of it, also where it was lost.

    `mapping_name` is where the mapping came from, so that dead letters can be replayed through it once it is mended.

    Raises UsageError, EchoPulseError.
    """
    if frames is not None and frames < 1:
        raise UsageError(f"--frames must be 1 or more, found {frames}")
    kafka = options.settings().kafka
    ensure_topics(kafka.bootstrap, replication=kafka.replication)
    with (
        DeadLetterProducer(kafka.bootstrap, OriginalForm("frame", mapping_name)) as letters,
        EventProducer(kafka.bootstrap, letters) as producer,
        ingest_progress(source.address) as draw,
    ):
        connector = LiveRun(
            source,
            mapping,
            producer,
            letters,
            limits=limits,
            frames=frames,
            on_progress=lambda report: draw(Progress(report.events, report.dead_letters, 0.0)),
        )
        try:
            asyncio.run(_until_signal(connector))
        finally:
            failed = producer.failed
            document = asdict(connector.report)
            document["events"] -= failed
            document["dead_letters"] += failed
            document["last_id"] = getattr(source, "last_id", "")
            emit(document, options.json, lambda: _told(document))


async def _until_signal(connector: LiveRun) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    with stopped_by_signal(lambda: loop.call_soon_threadsafe(stop.set)):
        await connector.run(stop)


def limits_of(attempts: int, connect_timeout_s: float, read_timeout_s: float) -> Limits:
    """Return the limits that a person chose. Raises UsageError for one that is not above 0."""
    chosen = {"attempts": attempts, "connect-timeout": connect_timeout_s, "read-timeout": read_timeout_s}
    for name, value in chosen.items():
        if not value > 0:
            raise UsageError(f"--{name} must be above 0, found {value:g}")
    return Limits(attempts=attempts, connect_timeout_s=connect_timeout_s, read_timeout_s=read_timeout_s)


def parse_headers(pairs: Sequence[str]) -> dict[str, str]:
    """Read NAME=VALUE pairs; a VALUE of env:VARIABLE is that variable's. Raises UsageError."""
    headers: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"--header {name} has no value", "like --header Authorization=env:TOKEN")
        if value.startswith(_FROM_ENVIRONMENT):
            variable = value.removeprefix(_FROM_ENVIRONMENT)
            if variable not in os.environ:
                raise UsageError(f"--header {name}: the environment has no variable {variable}")
            value = os.environ[variable]
        headers[name.strip()] = value
    return headers


def _told(document: dict[str, Any]) -> str:
    counts = (
        f"{document['received']:,} frames received: {document['events']:,} events, {document['filtered']:,} filtered, "
        f"{document['dead_letters']:,} dead letters; {document['reconnects']:,} reconnects"
    )
    return f"{counts}\nlast id {document['last_id']}" if document["last_id"] else counts
