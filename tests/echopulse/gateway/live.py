"""Sinks in memory and servers on this machine, for the tests of live sources."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa

from echopulse.gateway.mapping import Mapping
from echopulse.gateway.source import Limits
from schemas.arrow import EVENT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from schemas.avro import DeadLetter

#: `{"id": …, "t": ms}` becomes an event of channel c; a frame with `skip` is filtered.
MAPPING = Mapping.model_validate(
    {
        "source": "test",
        "when": [{"path": "skip", "exists": False}],
        "id": "id",
        "ts": {"path": "t", "format": "ms"},
        "channel": {"constant": "c"},
        "user": {"constant": "u"},
        "text": {"path": "text", "default": ""},
    }
)

#: Waits of a few ms, so that a test of many reconnects is short.
QUICK = Limits(first_wait_s=0.002, longest_wait_s=0.01, attempts=4, linger_s=0.002, close_timeout_s=1.0)

NOW_MS = 1_767_225_600_000
DEADLINE_S = 20.0


def frame(number: int, **more: Any) -> bytes:  # noqa: ANN401 - any JSON
    """Return a frame that the mapping takes."""
    return orjson.dumps({"id": f"e{number}", "t": NOW_MS + number, **more})


@dataclass
class Sink:
    """Takes events into a list; while `open` is not set, `send` blocks as a full producer does."""

    batches: list[pa.RecordBatch] = field(default_factory=list)
    open: threading.Event = field(default_factory=threading.Event)
    flushed: int = 0

    def __post_init__(self) -> None:
        """Start open."""
        self.open.set()

    def send(self, events: pa.RecordBatch) -> None:
        """Take a batch."""
        assert self.open.wait(DEADLINE_S)
        self.batches.append(events)

    def flush(self, timeout_s: float) -> None:
        """Count the calls."""
        assert timeout_s > 0
        self.flushed += 1

    @property
    def ids(self) -> list[str]:
        """The ids of all events so far."""
        ids: list[str] = pa.Table.from_batches(self.batches, EVENT)["id"].to_pylist()
        return ids


@dataclass
class Letters:
    """Takes dead letters into a list."""

    letters: list[DeadLetter] = field(default_factory=list)
    flushed: int = 0

    def send(self, letters: Iterable[DeadLetter]) -> None:
        """Take letters."""
        self.letters.extend(letters)

    def flush(self, timeout_s: float) -> None:
        """Count the calls."""
        assert timeout_s > 0
        self.flushed += 1


async def until(condition: Callable[[], bool]) -> None:
    """Poll until the condition holds, for at most DEADLINE_S."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 what is awaited happens in another thread or process
            await asyncio.sleep(0.002)


@dataclass
class Request:
    """A request as the server saw it: lower-case header names."""

    headers: dict[str, str]
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        """Send bytes."""
        self.writer.write(data)
        await self.writer.drain()

    async def stream(self) -> None:
        """Begin an event stream that ends with the connection."""
        await self.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nConnection: close\r\n\r\n"
        )

    async def answer(self, status: str, content_type: str = "text/plain") -> None:
        """Answer without a body."""
        await self.send(f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: 0\r\n\r\n".encode())


@asynccontextmanager
async def http_server(handle: Callable[[Request], Any]) -> AsyncIterator[str]:
    """Serve HTTP on a free port; each connection is one request, answered by `handle` and closed behind it."""
    tasks: set[asyncio.Task[None]] = set()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:]
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines) if name}
            await handle(Request(headers, writer))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    server = await asyncio.start_server(connection, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/stream"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
