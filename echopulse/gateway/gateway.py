"""All sources in one process; the configuration may change while they run."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from echopulse.gateway.gateway_config import load_config
from echopulse.gateway.send_window import SendWindow
from echopulse.gateway.share import Share
from echopulse.gateway.source_run import SourceRun
from echopulse.telemetry import logger
from schemas.errors import EchoPulseError, UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from echopulse.gateway.bus import RecordSink
    from echopulse.gateway.gateway_config import Source
    from echopulse.gateway.source_figures import SourceFigures

_LOG = logger(__name__)
ALL = Share()


@dataclass
class _Running:
    run: SourceRun
    stop: asyncio.Event
    task: asyncio.Task[None]


class Gateway:
    """Runs the sources of a file; `names` and `share` limit it to some of them. `figures` are by source."""

    def __init__(self, path: Path, names: Iterable[str], sink: RecordSink, share: Share = ALL) -> None:
        """Read the file. Raises EchoPulseError, UsageError for a name that it does not have."""
        self._path, self._names, self._sink, self._share = path, list(names), sink, share
        self.config, self._sources = load_config(path)
        for name in self._names:
            if name not in self._sources:
                raise UsageError(f"{path} has no source '{name}'", did_you_mean(name, self._sources))
        self._window = SendWindow()
        self._running: dict[str, _Running] = {}

    def figures(self) -> dict[str, SourceFigures]:
        """Return what each source has done, sizes as they are now."""
        return {name: running.run.measure() for name, running in self._running.items()}

    async def run(self, stop: asyncio.Event, changed: asyncio.Event) -> None:
        """Run until `stop`; read the file again when `changed` is set. Raises EchoPulseError where Kafka is lost."""
        waits: set[asyncio.Task[Any]] = {asyncio.create_task(stop.wait()), asyncio.create_task(changed.wait())}
        try:
            await self._apply(self._sources)
            while not stop.is_set():
                tasks = {running.task for running in self._running.values()}
                await asyncio.wait(waits | tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    if task.done():
                        task.result()
                if changed.is_set():
                    changed.clear()
                    await self._reload()
                    waits = {task for task in waits if not task.done()} | {asyncio.create_task(changed.wait())}
        finally:
            for task in waits:
                task.cancel()
            await asyncio.gather(*waits, *map(self._end, list(self._running)), return_exceptions=True)

    async def _reload(self) -> None:
        try:
            config, sources = await asyncio.to_thread(load_config, self._path)
        except EchoPulseError as error:
            _LOG.error("configuration refused, the old one stays", reason=str(error))
            return
        for key in ("state", "bus", "nats"):
            if getattr(config, key) != getattr(self.config, key):
                _LOG.error("configuration refused, the old one stays", reason=f"`{key}` changes with a restart only")
                return
        try:
            await self._apply(sources)
        except EchoPulseError as error:
            _LOG.error("configuration refused, the old one stays", reason=str(error))
            return
        self.config = config
        _LOG.info("configuration read", sources=len(sources))

    async def _apply(self, sources: dict[str, Source]) -> None:
        """End what is gone or differs, start what is new; what is the same goes on undisturbed.

        Raises EchoPulseError, with nothing changed, where a spool cannot be opened. One that a running source holds is
        open already, so what can fail is opened before anything ends.
        """
        wanted = {
            name: source
            for name, source in sources.items()
            if (not self._names or name in self._names) and self._share.holds(name)
        }
        gone = [name for name, running in self._running.items() if wanted.get(name) != running.run.source]
        opened: dict[str, SourceRun] = {}
        try:
            for name, source in wanted.items():
                before = self._running.get(name)
                if before is None or (name in gone and not before.run.holds_spool):
                    opened[name] = self._opened(source)
        except EchoPulseError:
            for run in opened.values():
                run.discard()
            raise
        await asyncio.gather(*map(self._end, gone))
        for name, source in wanted.items():
            if name not in self._running:
                run, stop = opened.get(name) or self._opened(source), asyncio.Event()
                self._running[name] = _Running(run, stop, asyncio.create_task(run.run(stop)))
        self._sources = sources

    def _opened(self, source: Source) -> SourceRun:
        return SourceRun(source, self.config.state, self._sink, self._window)

    async def _end(self, name: str) -> None:
        running = self._running.pop(name)
        running.stop.set()
        await running.task
