"""`echopulse ingest run`: all sources of a configuration in one process."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter, validators

from echopulse.cli.context import NO_OPTIONS, GlobalOptions

if TYPE_CHECKING:
    from echopulse.gateway.source_figures import SourceFigures

_SEEN_EVERY_S = 1.0


def run(
    *sources: str,
    gateway: Annotated[Path, Parameter(name="--gateway")] = Path("gateway.yaml"),
    processes: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=256))] = 1,
    share: Annotated[str, Parameter(show=False)] = "",
    options: GlobalOptions = NO_OPTIONS,
) -> None:
    """Run all sources of a gateway.yaml, until Ctrl-C.

    The file is read again when it changes, and on SIGHUP; an invalid one
    is refused as a whole and the old one stays.

    Parameters
    ----------
    sources
        Only these.
    gateway
        The file with the sources; see docs/ingest.md.
    processes
        Share the sources out among so many processes, as many as there are cores to spare.
    share
        Be one of them: its number and how many there are.
    """
    import uvloop

    from echopulse.cli.output import emit
    from echopulse.gateway.bus_choice import prepare_bus
    from echopulse.gateway.gateway_config import load_config

    kafka = options.settings().kafka
    config, _ = load_config(gateway)
    prepare_bus(config, kafka)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if processes > 1:
            from echopulse.cli.ingest_processes import run_shares

            settings = ["--config", str(options.config)] if options.config else []
            arguments = ["ingest", "run", *sources, "--gateway", str(gateway), *settings]
            document = runner.run(run_shares(arguments, processes))
        else:
            figures = runner.run(_run(gateway, sources, kafka.bootstrap, share))
            document = {name: _document(of) for name, of in figures.items()}
    emit({"sources": document}, options.json, lambda: _told(document))


async def _run(path: Path, names: tuple[str, ...], bootstrap: str, part: str) -> dict[str, SourceFigures]:
    from prometheus_client import CollectorRegistry, start_http_server

    from echopulse.cli.calm_collector import calm_collector
    from echopulse.cli.ingest_display import show
    from echopulse.gateway.bus_choice import open_bus
    from echopulse.gateway.bus_metrics import BusCollector
    from echopulse.gateway.gateway import Gateway
    from echopulse.gateway.gateway_config import load_config
    from echopulse.gateway.gateway_metrics import GatewayCollector
    from echopulse.gateway.share import Share

    share = Share.read(part) if part else Share()
    loop, stop, changed = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
    bus = open_bus(load_config(path)[0], bootstrap)
    try:
        gateway = Gateway(path, names, bus, share)
        calm_collector()
        seen: dict[str, SourceFigures] = {}

        def figures() -> dict[str, SourceFigures]:
            seen.update(gateway.figures())
            return seen

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGHUP, changed.set)
        if part:
            threading.Thread(target=_end_with_parent, args=(loop, stop), daemon=True).start()
        server = None
        if gateway.config.metrics_port:
            registry = CollectorRegistry(auto_describe=False)
            registry.register(GatewayCollector(figures))
            registry.register(BusCollector(bus))
            server, _thread = start_http_server(gateway.config.metrics_port + share.number, "127.0.0.1", registry)
        beside = [asyncio.create_task(_watch(path, stop, changed)), asyncio.create_task(show(gateway.figures))]
        try:
            running = asyncio.create_task(gateway.run(stop, changed))
            while not running.done():
                await asyncio.wait({running}, timeout=_SEEN_EVERY_S)
                figures()
            running.result()
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            if server is not None:
                server.shutdown()
                server.server_close()
        return seen
    finally:
        await bus.close()


def _end_with_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Stop where the parent's end of standard input is closed: it has died."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    with suppress(RuntimeError):
        # The loop may have ended before.
        loop.call_soon_threadsafe(stop.set)


async def _watch(path: Path, stop: asyncio.Event, changed: asyncio.Event) -> None:
    from watchfiles import awatch

    folder = path.absolute().parent  # noqa: ASYNC240 once, at the start
    # The folder: an editor replaces the file, and a mounted ConfigMap the link to it.
    async for changes in awatch(folder, stop_event=stop, recursive=False):
        if any(Path(name).name in {path.name, "..data"} for _, name in changes):
            changed.set()


def _document(figures: SourceFigures) -> dict[str, Any]:
    document = asdict(figures)
    del document["lags"]
    return document | {"dropped": dict(figures.dropped)}


def _told(document: dict[str, dict[str, Any]]) -> str:
    from echopulse.cli.output import counted

    return "\n".join(
        f"{name}: {counted(of['delivered'], 'event')} on the bus, {counted(of['letters'], 'dead letter')}, "
        f"{sum(of['dropped'].values()):,} dropped, {counted(of['spool_bytes'], 'byte')} in the spool"
        + (f"; {of['trouble']}" if of["trouble"] else "")
        for name, of in document.items()
    )
