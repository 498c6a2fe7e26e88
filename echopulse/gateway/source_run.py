"""One source at work: connector → queue → refining → lane → Kafka, each a task, none waiting for another source."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING

from echopulse.gateway.burst import size_of
from echopulse.gateway.dead_letters import now_ms
from echopulse.gateway.frame_queue import FrameQueue
from echopulse.gateway.lane import STOPPED, Lane
from echopulse.gateway.receipt import Verdict
from echopulse.gateway.refining import Refining
from echopulse.gateway.resume_file import ResumeFile
from echopulse.gateway.source_figures import SourceFigures
from echopulse.gateway.source_reading import SourceReading
from echopulse.gateway.spool import Spool
from echopulse.telemetry import logger

if TYPE_CHECKING:
    from pathlib import Path

    from echopulse.gateway.bus import RecordSink, Refused
    from echopulse.gateway.gateway_config import Source
    from echopulse.gateway.outgoing import Batch
    from echopulse.gateway.send_window import SendWindow

_LOG = logger(__name__)
_BATCH_BYTES = 1024 * 1024
_AT_ONCE_BYTES = 1024 * 1024
#: What comes within that time of a frame goes on with it: fewer and larger batches.
_LINGER_S = 0.002
#: How long a source that ends waits for Kafka to take what it has in memory.
GRACE_S = 10.0
_PLACE_NOTED_EVERY_S = 0.5


class SourceRun:
    """Runs one source until it is stopped. A source that is lost for good says so in its figures and stays."""

    def __init__(
        self,
        source: Source,
        state: Path | None,
        sink: RecordSink,
        window: SendWindow,
        *,
        place: str = "",
        frames: int | None = None,
    ) -> None:
        """Open its spool and its place to resume under `state`; without one it has no spool and begins at `place`.

        Reading ends after so many `frames`, where they are limited. Raises EchoPulseError.
        """
        self.source, self.figures = source, SourceFigures()
        self._limits, config = source.config.limits(), source.config
        self._refining = Refining(source)
        self._sink, self._window = sink, window
        self._queue = FrameQueue(config.queue.events, config.queue.bytes)
        self._resume = ResumeFile(state / f"{source.name}.resume") if state else None
        spool = _spool(source, state / "spool" / source.name) if state else None
        self._lane = Lane(config.queue.events, config.queue.bytes, spool, config.spool.when_full, self.figures.dropped)
        self._in_flight: deque[tuple[Batch, asyncio.Future[Refused], float]] = deque()
        self._sent, self._all_sent = asyncio.Event(), False
        if self._resume and source.connector.resumable:
            place = self._resume.read()
        self._reading = SourceReading(source, self._queue, self.figures, place=place, frames=frames)
        #: On its way into the lane: a stop finds it here.
        self._offered: list[Batch] = []

    @property
    def over(self) -> asyncio.Event:
        """Set when nothing more will be read: the stream is over, or lost for good."""
        return self._reading.over

    @property
    def holds_spool(self) -> bool:
        """Whether nobody else can open its spool."""
        return self._lane.spool is not None

    def discard(self) -> None:
        """Let a run that was never started go."""
        if self._lane.spool is not None:
            self._lane.spool.close()

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop`; what is in memory then goes to Kafka, or to the spool where Kafka is away."""
        reading, refining, sending, acknowledging, noting = (
            asyncio.create_task(work)
            for work in (self._reading.run(), self._refine(), self._send(), self._acknowledge(), self._note_place())
        )
        stopping = asyncio.create_task(stop.wait())
        try:
            broken = (refining, sending, acknowledging, noting, stopping)
            await asyncio.wait(broken, return_when=asyncio.FIRST_COMPLETED)
            reading.cancel()
            await asyncio.wait({reading})
            self._queue.close()
            await asyncio.wait({refining}, timeout=GRACE_S)
            await self._lane.close()
            await asyncio.wait({sending, acknowledging}, timeout=GRACE_S)
        finally:
            tasks = (reading, refining, sending, acknowledging, noting, stopping)
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            self._let_go()
        for outcome in ended:
            if isinstance(outcome, Exception):
                raise outcome

    def _let_go(self) -> None:
        """Put what is left where the next run finds it, and count what has no such place."""
        for batch, _future, _began in self._in_flight:
            self._window.leave(batch.size, 0.0)
        self._lane.keep(self._offered)
        for arrival in self._queue.rest():
            if arrival.receipt:
                arrival.receipt.settle(Verdict.AGAIN, "the gateway was stopped before it was read")
        if unread := len(self._queue):
            self.figures.dropped[STOPPED] += unread
        if self._reading.place:
            # The platform gives them again behind the place that is written now.
            del self.figures.dropped[STOPPED]
        self._write_place()
        self.figures.place = self._lane.resume
        if self.figures.state != "lost":
            self.figures.state = "stopped"

    def measure(self) -> SourceFigures:
        """Return the figures, sizes as they are now."""
        figures, spool = self.figures, self._lane.spool
        figures.queue_events = len(self._queue) + self._lane.records
        figures.queue_bytes = self._queue.bytes + self._lane.bytes
        figures.spool_bytes = spool.size if spool and not spool.empty else 0
        figures.spool_torn_bytes = spool.torn_bytes if spool else 0
        return figures

    async def _note_place(self) -> None:
        """Write down where to go on, at times: also when nothing has come since what was acknowledged last."""
        while True:
            await asyncio.sleep(_PLACE_NOTED_EVERY_S)
            self._write_place()

    def _write_place(self) -> None:
        if self._resume:
            self._resume.write(self._lane.resume)

    async def _refine(self) -> None:
        number, reconnects = 1, 0
        while arrivals := await self._queue.take(self._limits.batch_frames, _LINGER_S):
            if self.figures.reconnects > reconnects:
                reconnects = self.figures.reconnects
                self._refining.repeats.expect()
            # A thread takes turns with this one, five milliseconds each: what is done sooner is done here.
            if size_of(arrivals) <= _AT_ONCE_BYTES:
                refined = self._refining.apply(arrivals, number)
            else:
                refined = await asyncio.to_thread(self._refining.apply, arrivals, number)
            number += len(arrivals)
            figures = self.figures
            figures.events += refined.events
            figures.letters += refined.letters
            figures.filtered += refined.filtered
            figures.dropped.update(refined.dropped)
            self._offered = [refined.batch]
            await self._lane.offer(refined.batch)
            self._offered = []

    async def _send(self) -> None:
        while (batch := await self._lane.take(self._limits.batch_frames, _BATCH_BYTES)) is not None:
            await self._window.enter(batch.size)
            self._in_flight.append((batch, self._sink.send(batch.records), time.monotonic()))
            self._sent.set()
        self._all_sent = True
        self._sent.set()

    async def _acknowledge(self) -> None:
        while True:
            while not self._in_flight:
                if self._all_sent:
                    return
                self._sent.clear()
                await self._sent.wait()
            batch, future, began = self._in_flight[0]
            refused = await future
            self._in_flight.popleft()
            self._window.leave(batch.size, time.monotonic() - began)
            for record, reason in refused:
                self.figures.dropped["refused"] += 1
                _LOG.error("the bus refused a record", source=self.source.name, topic=record.topic, reason=reason)
            self.figures.delivered += len(batch.stamps)
            self.figures.observe(batch.stamps, now_ms())
            await self._lane.acknowledge(batch, refused[0][1] if refused else "")


def _spool(source: Source, folder: Path) -> Spool | None:
    """Open a source's spool: where it is to have one, and where one that it no longer has holds anything."""
    room = source.config.spool
    kept = source.spooled or any(folder.glob("*.segment"))
    return Spool(folder, room.bytes, fsync=room.fsync) if kept else None
