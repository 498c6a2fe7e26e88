"""The reading half of a source: connect, take frames into the queue, and connect again where that may help."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from echopulse.gateway.burst import Burst, resume_of
from echopulse.gateway.receipt import Verdict
from echopulse.gateway.reconnect import wait_before
from echopulse.gateway.source import ConnectionLostError, StreamEndedError
from echopulse.gateway.token_bucket import TokenBucket
from echopulse.telemetry import logger
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from echopulse.gateway.connector import Arrival, Connector
    from echopulse.gateway.frame_queue import FrameQueue
    from echopulse.gateway.gateway_config import Source
    from echopulse.gateway.source_figures import SourceFigures

_LOG = logger(__name__)
_LONGEST_ASKED_S = 3600.0


class SourceReading:
    """Reads one source into a queue; `place` is where the next connection goes on."""

    def __init__(
        self,
        source: Source,
        queue: FrameQueue,
        figures: SourceFigures,
        *,
        place: str = "",
        frames: int | None = None,
    ) -> None:
        """Begin at `place`, and end after so many `frames`, where they are limited. Connects to nothing yet."""
        self.place = place
        #: Set when nothing more will be read: the stream is over, or lost for good.
        self.over = asyncio.Event()
        self._source, self._queue, self._figures = source, queue, figures
        self._limits, rate = source.config.limits(), source.config.rate
        self._connector: Connector[Any] = source.connector(source.options, self._limits)
        self._bucket = TokenBucket(rate.per_second, rate.burst) if rate else None
        self._failed, self._frames = 0, frames
        self._blind = 0

    async def run(self) -> None:
        """Connect again and again until the stream is over or the source is lost for good."""
        while True:
            reason, wait_s = "the server closed the connection", 0.0
            try:
                await self._take_in()
            except StreamEndedError:
                self._figures.state = "ended"
                self.over.set()
                return
            except ConnectionLostError as error:
                reason, wait_s = str(error), error.wait_s
            except EchoPulseError as error:
                self._lost(str(error))
                return
            except Exception as error:  # noqa: BLE001 a user's connector may raise anything: others go on
                reason = f"{type(error).__name__}: {error}"
            self._failed += 1
            if self._failed >= self._limits.attempts:
                attempts = f"given up after {self._failed} attempts in a row"
                self._lost(f"{self._connector.address} was {attempts}: {reason}")
                return
            # What a server asks for is longer than our own longest wait, and is what keeps it from shutting us out.
            wait_s = max(wait_before(self._failed, self._limits), min(wait_s, _LONGEST_ASKED_S))
            self._figures.reconnects += 1
            self._figures.state, self._figures.trouble = "waiting", reason
            _LOG.warning("connecting again", source=self._source.name, reason=reason, wait_s=round(wait_s, 2))
            await asyncio.sleep(wait_s)

    async def _take_in(self) -> None:
        """Take in what one connection gives."""
        figures, first = self._figures, True
        blind = figures.frames > 0 and not self.place
        async with aclosing(self._connector.bursts(self.place)) as bursts:
            async for burst in bursts:
                figures.state, figures.trouble = "reading", ""
                if first:
                    first = False
                    # Who is answered for each sends again what was not.
                    self._blind += blind and burst[0].receipt is None
                self._count_gaps()
                if self._bucket is None and self._frames is None:
                    await self._put(burst)
                    continue
                for arrival in burst:
                    self._note([arrival])
                    if await self._within_rate():
                        await self._queue.put(arrival)
                    elif arrival.receipt:
                        arrival.receipt.settle(Verdict.TOO_FAST)
                    if figures.frames == self._frames:
                        raise StreamEndedError

    def _count_gaps(self) -> None:
        gaps = self._blind + self._connector.gaps
        if gaps > self._figures.gaps:
            self._figures.gaps = gaps
            _LOG.warning("a gap: what came between two connections may be missing", source=self._source.name, gaps=gaps)

    async def _put(self, burst: Sequence[Arrival]) -> None:
        at, most = 0, self._limits.batch_frames
        while at < len(burst):
            # By the batch: one read of a fast socket may give more than the queue holds.
            part = burst[at : at + most] if at or len(burst) > most else burst
            try:
                appended = await self._queue.put_some(part)
            except asyncio.CancelledError:
                self._queue.put_beyond(burst[at:])
                self._note(burst[at:])
                raise
            self._note(part if appended == len(part) else part[:appended])
            at += appended

    def _note(self, burst: Sequence[Arrival]) -> None:
        self._figures.frames += len(burst)
        if isinstance(burst, Burst) or not all(arrival.fault for arrival in burst):
            self._failed = 0
        self.place = resume_of(burst) or self.place

    def _lost(self, reason: str) -> None:
        self._figures.state, self._figures.trouble = "lost", reason
        self.over.set()
        _LOG.error("source lost until its configuration changes", source=self._source.name, reason=reason)

    async def _within_rate(self) -> bool:
        if self._bucket is None or self._bucket.take():
            return True
        rate = self._source.config.rate
        if rate is not None and rate.over == "drop":
            self._figures.dropped["rate"] += 1
            return False
        while not self._bucket.take():  # noqa: ASYNC110 time is what is waited for
            await asyncio.sleep(self._bucket.wait_s())
        return True
