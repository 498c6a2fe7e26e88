"""Runs a live source: socket → bounded queue → mapping → judgement → events and dead letters."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from echopulse.gateway.dead_letters import now_ms
from echopulse.gateway.event_time import TimeRange
from echopulse.gateway.frame_queue import FrameQueue
from echopulse.gateway.mapper import Frame, Mapper
from echopulse.gateway.reconnect import reconnecting
from echopulse.gateway.source import Limits
from echopulse.gateway.validation import judge
from echopulse.telemetry import logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from echopulse.gateway.mapping import Mapping
    from echopulse.gateway.source import DeadLetterSink, EventSink, LiveSource

_LOG = logger(__name__)


@dataclass
class SourceReport:
    """What came of a source's frames so far: `received` = `events` + `filtered` + `dead_letters` once it has ended."""

    received: int = 0
    events: int = 0
    filtered: int = 0
    dead_letters: int = 0
    reconnects: int = 0


class LiveRun:
    """One live source on its way to a sink. Dead letters' origin is the source's name and the frame's number."""

    def __init__(
        self,
        source: LiveSource,
        mapping: Mapping,
        sink: EventSink,
        dead_letters: DeadLetterSink,
        *,
        limits: Limits | None = None,
        frames: int | None = None,
        on_progress: Callable[[SourceReport], None] = lambda _: None,
    ) -> None:
        """Make it ready to run; it ends by itself after `frames` frames (None: never).

        `on_progress` is called after each batch, in the thread that delivers.
        """
        self.report = SourceReport()
        self._source = source
        self._mapper, self._origin = Mapper(mapping), mapping.source
        self._sink, self._dead_letters = sink, dead_letters
        self._limits = limits or Limits()
        self._frames = frames
        self._on_progress = on_progress
        self._queue: FrameQueue[Frame] = FrameQueue(self._limits.queued_frames, self._limits.queued_bytes)

    async def run(self, stop: asyncio.Event) -> SourceReport:
        """Run until `stop` is set, the stream ends or its limit is reached; what was received is delivered and flushed.

        Raises EchoPulseError where the source is lost for good (after delivering what came before) or Kafka is.
        """
        reading = asyncio.create_task(self._read())
        writing = asyncio.create_task(self._write())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({reading, writing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            reading.cancel()
            await asyncio.wait({reading})
            await self._queue.close()
            await writing
        finally:
            for task in (reading, writing, stopping):
                task.cancel()
            await asyncio.gather(reading, writing, stopping, return_exceptions=True)
            await asyncio.to_thread(self._flush)
        if not reading.cancelled():
            reading.result()
        return self.report

    async def _read(self) -> None:
        async with aclosing(reconnecting(self._source, self._limits, self._told)) as messages:
            async for data, fault in messages:
                await self._queue.put(Frame(data, self.report.received + 1, fault))
                self.report.received += 1
                if self.report.received == self._frames:
                    return

    async def _write(self) -> None:
        while frames := await self._queue.take(self._limits.batch_frames, self._limits.linger_s):
            # In a thread: a full producer blocks, and the socket must be answered (pings) or closed meanwhile.
            await asyncio.to_thread(self._deliver, frames)

    def _deliver(self, frames: list[Frame]) -> None:
        mapped = self._mapper.apply(frames)
        judged = judge(mapped.rows, self._origin, TimeRange.around(now_ms()))
        if judged.events.num_rows:
            self._sink.send(judged.events)
        if judged.letters:
            self._dead_letters.send(judged.letters)
        self.report.filtered += mapped.filtered
        self.report.events += judged.events.num_rows
        self.report.dead_letters += len(judged.letters)
        self._on_progress(self.report)

    def _flush(self) -> None:
        try:
            self._sink.flush(self._limits.flush_timeout_s)
        finally:
            self._dead_letters.flush(self._limits.flush_timeout_s)

    def _told(self, reason: str, wait_s: float) -> None:
        self.report.reconnects += 1
        _LOG.warning("connecting again", source=self._source.address, reason=reason, wait_s=round(wait_s, 2))
