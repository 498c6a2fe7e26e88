"""A websocket server that costs next to nothing: frames are bytes beforehand, and go out by the hundred."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

from websockets.frames import Frame, Opcode
from websockets.utils import accept_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

_HOST = "127.0.0.1"
_TICK_S = 0.005
_AT_ONCE = 1_000


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

    async def pace(self, first: int, count: int, rate: float) -> None:
        """Send frames `first`, …, `rate` a second, each made when it goes out."""
        writer = await self._connected
        began, done = time.monotonic(), 0
        while done < count:
            due = min(count, int((time.monotonic() - began) * rate))
            if due > done:
                writer.write(self._bytes(first + done, first + due))
                await writer.drain()
                done = due
            await asyncio.sleep(_TICK_S)

    def _bytes(self, first: int, last: int) -> bytes:
        return b"".join(Frame(Opcode.TEXT, text).serialize(mask=False) for text in self._texts(first, last))

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
