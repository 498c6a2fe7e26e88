"""A Kafka in memory and servers on this machine, for the tests of live sources."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from echopulse.gateway.gateway_config import Queue, Source, SourceConfig
from echopulse.gateway.mapping import Mapping
from echopulse.gateway.send_window import SendWindow
from echopulse.gateway.source import Limits
from echopulse.gateway.source_run import SourceRun
from schemas.avro import decode_dead_letter
from schemas.social_event_pb2 import SocialEvent
from schemas.topics import DLQ, EVENTS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from echopulse.gateway.bus import RecordSink, Refused
    from echopulse.gateway.connector_discovery import ConnectorType
    from echopulse.gateway.outgoing import Outgoing
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
QUICK = Limits(first_wait_s=0.002, longest_wait_s=0.01, attempts=4, close_timeout_s=1.0)

NOW_MS = 1_767_225_600_000
DEADLINE_S = 20.0


def frame(number: int, **more: Any) -> bytes:  # noqa: ANN401 - any JSON
    """Return a frame that the mapping takes."""
    return orjson.dumps({"id": f"e{number}", "t": NOW_MS + number, **more})


@dataclass
class Broker:
    """Acknowledges at once while `here`; what is sent while it is away waits."""

    here: bool = True
    records: list[Outgoing] = field(default_factory=list)
    waiting: list[tuple[asyncio.Future[Refused], Sequence[Outgoing]]] = field(default_factory=list)

    def send(self, records: Sequence[Outgoing]) -> asyncio.Future[Refused]:
        """Take records."""
        future: asyncio.Future[Refused] = asyncio.get_running_loop().create_future()
        self.waiting.append((future, records))
        if self.here:
            self.back()
        return future

    def back(self) -> None:
        """Acknowledge everything."""
        self.here = True
        for future, records in self.waiting:
            self.records.extend(records)
            if not future.done():
                future.set_result([])
        self.waiting.clear()

    def events(self) -> list[SocialEvent]:
        """The events in the order of Kafka."""
        return [SocialEvent.FromString(r.value) for r in self.records if r.topic == EVENTS]

    def ids(self) -> list[str]:
        """Their ids."""
        return [event.id for event in self.events()]

    def letters(self) -> list[DeadLetter]:
        """The dead letters."""
        return [decode_dead_letter(r.value) for r in self.records if r.topic == DLQ]


def alone(
    connector: ConnectorType,
    broker: RecordSink,
    limits: Limits = QUICK,
    *,
    frames: int | None = None,
    **options: object,
) -> SourceRun:
    """Return a source of the connector that keeps to the limits and reads by MAPPING."""

    class Config(SourceConfig):
        def limits(self) -> Limits:
            return limits

    queue = Queue(events=limits.queued_frames, bytes=limits.queued_bytes)
    chosen = connector.options.model_validate({"mapping": "bluesky", **options})
    config = Config(connector=connector.name, queue=queue)
    return SourceRun(Source("test", config, connector, chosen, MAPPING), None, broker, SendWindow(), frames=frames)


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
