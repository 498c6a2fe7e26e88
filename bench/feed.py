"""A platform of our own: numbered messages over a websocket or as server-sent events, given again from any place on."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

#: How a source of the gateway reads a frame.
MAPPING = {
    "source": "feed",
    "id": "id",
    "ts": {"path": "t", "format": "ms"},
    "channel": "c",
    "user": "u",
    "text": "text",
    "metadata": {"kind": {"constant": "message"}},
}
#: How it goes on: the address's parameter, and where its value is.
CURSOR = {"parameter": "after", "path": "n"}

_TICK_S = 0.01
_HOST = "127.0.0.1"
_TEXT = b"the cat cam is back and everyone in this room is happy about it, see you at the raid tonight"


class Feed:
    """Messages 0, 1, … of one platform, in turn on its channels; message n is on channel n % channels."""

    def __init__(self, name: str, channels: int) -> None:
        """Begin without any."""
        self.name, self.channels = name, channels
        self.connections = 0
        self._times: list[int] = []
        self._open: set[asyncio.WriteTransport] = set()

    def __len__(self) -> int:
        """Return how many there are so far."""
        return len(self._times)

    def frame(self, number: int) -> bytes:
        """Return a message, the same each time; it bears the time at which it came to be."""
        name = self.name.encode()
        return b'{"id":"%b-%d","n":%d,"t":%d,"c":"%b-%d","u":"u%d","text":"%b"}' % (
            *(name, number, number, self._times[number], name, number % self.channels, number % 997, _TEXT),
        )

    async def grow(self, count: int, rate: float) -> None:
        """Let `count` messages come to be, `rate` a second."""
        began, first = time.monotonic(), len(self._times)
        while (done := len(self._times) - first) < count:
            due = min(count, int((time.monotonic() - began) * rate))
            self._times += [time.time_ns() // 1_000_000] * (due - done)
            await asyncio.sleep(_TICK_S)

    def cut(self) -> None:
        """Break all connections off."""
        for transport in list(self._open):
            transport.abort()

    @asynccontextmanager
    async def websocket(self) -> AsyncIterator[str]:
        """Serve them over a websocket; yield its address."""
        async with serve(self._over_websocket, _HOST, 0, close_timeout=1, compression=None) as server:
            yield f"ws://{_HOST}:{next(iter(server.sockets)).getsockname()[1]}/messages"

    @asynccontextmanager
    async def events(self) -> AsyncIterator[str]:
        """Serve them as server-sent events; yield the stream's address."""
        server = await asyncio.start_server(self._as_events, _HOST, 0)
        try:
            yield f"http://{_HOST}:{server.sockets[0].getsockname()[1]}/messages"
        finally:
            server.close()
            self.cut()
            while self._open:  # noqa: ASYNC110 the handlers see it and end
                await asyncio.sleep(_TICK_S)

    async def _over_websocket(self, socket: ServerConnection) -> None:
        assert socket.request is not None  # noqa: S101 there is one behind the handshake
        after = parse_qs(urlsplit(socket.request.path).query).get(CURSOR["parameter"], [""])[0]
        with self._connection(socket.transport), suppress(ConnectionClosed):
            async for number in self._from(after, socket.transport):
                await socket.send(self.frame(number), text=True)

    async def _as_events(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with self._connection(writer.transport), suppress(ConnectionError, asyncio.IncompleteReadError):
            lines = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
            async for number in self._from(headers.get("last-event-id", ""), writer.transport):
                writer.write(b"id: %d\ndata: %b\n\n" % (number, self.frame(number)))
                await writer.drain()
        writer.close()

    @contextmanager
    def _connection(self, transport: asyncio.WriteTransport) -> Iterator[None]:
        self.connections += 1
        self._open.add(transport)
        try:
            yield
        finally:
            self._open.discard(transport)

    async def _from(self, after: str, transport: asyncio.BaseTransport) -> AsyncIterator[int]:
        number = int(after) + 1 if after else 0
        while not transport.is_closing():
            if number < len(self._times):
                yield number
                number += 1
            else:
                await asyncio.sleep(_TICK_S)
