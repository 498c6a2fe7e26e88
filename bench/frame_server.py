"""A websocket server that costs next to nothing: frames are bytes beforehand, and go out by the hundred."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import numpy as np
from websockets.frames import Frame, Opcode
from websockets.utils import accept_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

_HOST = "127.0.0.1"
_TICK_S = 0.005
_AT_ONCE = 1_000
#: Digits of a time in ms UTC.
_DIGITS = 13


class TimedFrames:
    """Frames made beforehand, in each of which the time behind `mark` is written anew when it goes out.

    To make 100,000 frames a second while they are sent would take a third of a core from what is measured.
    """

    def __init__(self, texts: Sequence[bytes], mark: bytes) -> None:
        """Make them. Raises ValueError for a text without the mark."""
        frames = [_frame(text) for text in texts]
        self._ends = [0, *accumulate(map(len, frames))]
        self._bytes = np.frombuffer(bytearray(b"".join(frames)), np.uint8)
        places = [frame.index(mark) + len(mark) for frame in frames]
        self._digits = (np.array(self._ends[:-1]) + places)[:, None] + np.arange(_DIGITS)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._digits)

    def stamped(self, first: int, last: int, now_ms: int) -> memoryview:
        """Return the bytes of some of them with that time."""
        self._bytes[self._digits[first:last]] = np.frombuffer(b"%013d" % now_ms, np.uint8)
        return self._bytes[self._ends[first] : self._ends[last]].data


class FrameServer:
    """Gives one client the frames with `texts(first, last)`, `last` excluded, when it is told how many and how fast."""

    def __init__(self, texts: Callable[[int, int], Sequence[bytes]]) -> None:
        """Keep what makes the frames; nobody is connected yet."""
        self._texts = texts
        self._connected: asyncio.Future[asyncio.StreamWriter] = asyncio.get_running_loop().create_future()

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        """Serve one client; yield the address."""
        server = await asyncio.start_server(self._shake_hands, _HOST, 0)
        try:
            yield f"ws://{_HOST}:{server.sockets[0].getsockname()[1]}/frames"
        finally:
            server.close()
            if self._connected.done():
                self._connected.result().transport.abort()

    def made(self, first: int, count: int) -> list[bytes]:
        """Make frames beforehand: making them beside the gateway would be measured with it."""
        ends = [*range(first, first + count, _AT_ONCE), first + count]
        return [self._bytes(at, end) for at, end in pairwise(ends)]

    async def give(self, chunks: Sequence[bytes]) -> None:
        """Send them as soon as the client takes them; TCP holds them back."""
        writer = await self._connected
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()

    async def pace(self, frames: TimedFrames, rate: float) -> None:
        """Send frames, `rate` a second, each with the time at which it goes out."""
        writer = await self._connected
        began, done = time.monotonic(), 0
        while done < len(frames):
            due = min(len(frames), int((time.monotonic() - began) * rate))
            if due > done:
                writer.write(frames.stamped(done, due, time.time_ns() // 1_000_000))
                await writer.drain()
                done = due
            await asyncio.sleep(_TICK_S)

    def timed(self, first: int, count: int, mark: bytes) -> TimedFrames:
        """Make frames beforehand that are to be sent at a pace."""
        return TimedFrames(self._texts(first, first + count), mark)

    def _bytes(self, first: int, last: int) -> bytes:
        return b"".join(map(_frame, self._texts(first, last)))

    async def _shake_hands(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        key = next(line.partition(": ")[2] for line in lines if line.lower().startswith("sec-websocket-key: "))
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept_key(key).encode() + b"\r\n\r\n"
        )
        self._connected.set_result(writer)
        # Pongs and the closing frame are read and passed over.
        while await reader.read(65_536):
            pass


def _frame(text: bytes) -> bytes:
    return Frame(Opcode.TEXT, text).serialize(mask=False)
