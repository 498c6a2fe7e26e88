"""Runs one source for `echopulse ingest websocket|sse`: the gateway's way of it, without a configuration or a state."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Any

import uvloop

from echopulse.cli.calm_collector import calm_collector
from echopulse.cli.context import GlobalOptions
from echopulse.cli.ingest_display import show
from echopulse.cli.output import counted, emit
from echopulse.cli.stop_signal import stopped_by_signal
from echopulse.gateway.acknowledged_producer import AcknowledgedProducer
from echopulse.gateway.gateway_config import Source, SourceConfig
from echopulse.gateway.send_window import SendWindow
from echopulse.gateway.single_source import run_alone
from echopulse.gateway.source_figures import SourceFigures
from echopulse.gateway.source_run import SourceRun
from echopulse.gateway.topics_admin import ensure_topics
from schemas.errors import UsageError

_FROM_ENVIRONMENT = "env:"


def run_source(source: Source, frames: int | None, options: GlobalOptions, *, place: str = "") -> None:
    """Run a source until it ends or a signal comes, and print what came of it, also where it was lost.

    Raises UsageError, EchoPulseError.
    """
    if frames is not None and frames < 1:
        raise UsageError(f"--frames must be 1 or more, found {frames}")
    kafka = options.settings().kafka
    ensure_topics(kafka.bootstrap, replication=kafka.replication)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_until_signal(source, kafka.bootstrap, place, frames, options))


async def _until_signal(source: Source, bootstrap: str, place: str, frames: int | None, options: GlobalOptions) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    producer = AcknowledgedProducer(bootstrap)
    run = SourceRun(source, None, producer, SendWindow(), place=place, frames=frames)
    calm_collector()
    showing = asyncio.create_task(show(lambda: {source.name: run.measure()}))
    try:
        with stopped_by_signal(lambda: loop.call_soon_threadsafe(stop.set)):
            await run_alone(run, stop)
    finally:
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)
        await producer.close()
        document = _document(run.figures)
        emit(document, options.json, lambda: _told(document))


def config_of(connector: str, attempts: int, connect_timeout_s: float, read_timeout_s: float) -> SourceConfig:
    """Return what a person chose. Raises UsageError for a limit that is not above 0."""
    chosen = {"attempts": attempts, "connect-timeout": connect_timeout_s, "read-timeout": read_timeout_s}
    for name, value in chosen.items():
        if not value > 0:
            raise UsageError(f"--{name} must be above 0, found {value:g}")
    return SourceConfig(
        connector=connector, attempts=attempts, connect_timeout_s=connect_timeout_s, read_timeout_s=read_timeout_s
    )


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


def _document(figures: SourceFigures) -> dict[str, Any]:
    return {
        "received": figures.frames,
        "events": figures.delivered,
        "filtered": figures.filtered,
        "dead_letters": figures.letters,
        "dropped": dict(figures.dropped),
        "reconnects": figures.reconnects,
        "last_id": figures.place,
    }


def _told(document: dict[str, Any]) -> str:
    counts = (
        f"{counted(document['received'], 'frame')} received: {counted(document['events'], 'event')}, "
        f"{document['filtered']:,} filtered, "
        f"{counted(document['dead_letters'], 'dead letter')}; {counted(document['reconnects'], 'reconnect')}"
    )
    return f"{counts}\nlast id {document['last_id']}" if document["last_id"] else counts
