"""A websocket as a source, against a real server on this machine."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from websockets.asyncio.server import ServerConnection, serve

from echopulse.gateway import source_run
from echopulse.gateway.connectors.websocket import WebSocketConnector
from echopulse.gateway.single_source import run_alone
from echopulse.gateway.websocket import WebSocketSource
from schemas.errors import EchoPulseError
from tests.echopulse.gateway.live import QUICK, Broker, alone, frame, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from echopulse.gateway.bus import Refused
    from echopulse.gateway.outgoing import Outgoing
    from echopulse.gateway.source import Limits
    from echopulse.gateway.source_figures import SourceFigures


@asynccontextmanager
async def _server(handle: Callable[[ServerConnection], Awaitable[None]]) -> AsyncIterator[str]:
    # Without compression: a thousand equal frames would fit into one.
    async with serve(handle, "127.0.0.1", 0, close_timeout=1, compression=None) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/path"


async def _ran(
    url: str, broker: Broker, limits: Limits = QUICK, frames: int | None = None, **more: object
) -> SourceFigures:
    run = alone(WebSocketConnector, broker, limits, frames=frames, url=url, **more)
    await run_alone(run, asyncio.Event())
    return run.figures


async def test_frames_become_events() -> None:
    """Text and binary frames alike; filtered and bad ones are counted."""

    async def handle(socket: ServerConnection) -> None:
        await socket.send(frame(1).decode())
        await socket.send(frame(2))
        await socket.send(frame(3, skip=1))
        await socket.send(b"\xff{")
        await socket.send('{"id": "e5"}')
        await socket.wait_closed()

    broker = Broker()
    async with _server(handle) as url:
        figures = await _ran(url, broker, frames=5)

    assert broker.ids() == ["e1", "e2"]
    assert (figures.frames, figures.delivered, figures.filtered, figures.letters) == (5, 2, 1, 2)
    assert [(letter.stage, letter.origin, letter.original) for letter in broker.letters()] == [
        ("parse", "test:4", b"\xff{"),
        ("validate", "test:5", b'{"id": "e5"}'),
    ]


async def test_a_lost_connection_is_made_again() -> None:
    """Closed politely, closed with an error, cut off: the source goes on; each is counted."""
    connections = 0

    async def handle(socket: ServerConnection) -> None:
        nonlocal connections
        connections += 1
        await socket.send(frame(connections))
        if connections == 1:
            await socket.close()
        elif connections == 2:
            await socket.close(1011, "broken")
        elif connections == 3:
            socket.transport.abort()
        else:
            await socket.wait_closed()

    broker = Broker()
    async with _server(handle) as url:
        figures = await _ran(url, broker, frames=3)

    assert len(set(broker.ids())) == 3
    assert figures.reconnects >= 2


async def test_a_connection_that_cannot_go_on_leaves_a_gap() -> None:
    """Counted once a connection; with a cursor there is none, and what comes again is dropped by its id."""
    asked: list[str] = []

    async def handle(socket: ServerConnection) -> None:
        assert socket.request is not None
        asked.append(socket.request.path)
        for number in (len(asked), len(asked) + 1):
            await socket.send(frame(number))
        if len(asked) > 2:
            await socket.wait_closed()

    without: dict[str, object] = {}
    for options, gaps in ((without, 2), ({"cursor": {"parameter": "at", "path": "id"}}, 0)):
        asked.clear()
        broker, stop = Broker(), asyncio.Event()
        async with _server(handle) as url:
            run = alone(WebSocketConnector, broker, url=url, **options)
            running = asyncio.create_task(run_alone(run, stop))
            async with asyncio.timeout(20):
                while run.figures.delivered + run.figures.dropped["repeat"] < 6:  # noqa: ASYNC110 the source's doing
                    await asyncio.sleep(0.002)
            stop.set()
            await running
        assert (run.figures.gaps, run.figures.reconnects, run.figures.dropped["repeat"]) == (gaps, 2, 2)
        assert broker.ids() == ["e1", "e2", "e3", "e4"]
    assert asked == ["/path", "/path?at=e2", "/path?at=e3"]


async def test_attempts_have_a_limit() -> None:
    """A port where nobody listens is given up with its address, the number of attempts and the reason."""
    async with _server(lambda socket: socket.close()) as url:
        pass
    broker = Broker()

    with pytest.raises(
        EchoPulseError, match=r"^ws://127\.0\.0\.1:\d+/path was given up after 4 attempts in a row: .*Ref"
    ):
        await _ran(url, broker)


async def test_a_frame_too_large_is_refused_and_the_next_is_taken() -> None:
    """It becomes a dead letter; its connection is the price."""
    connections = 0

    async def handle(socket: ServerConnection) -> None:
        nonlocal connections
        connections += 1
        await socket.send(b"x" * 2_000 if connections == 1 else frame(connections))
        await socket.wait_closed()

    broker = Broker()
    async with _server(handle) as url:
        limits = replace(QUICK, frame_bytes=1_000)
        figures = await _ran(url, broker, limits, frames=2)

    assert broker.ids() == ["e2"]
    assert (figures.letters, broker.letters()[0].stage) == (1, "parse")
    assert "above 1000 bytes was refused" in broker.letters()[0].reason


async def test_a_server_that_sends_only_frames_too_large_is_given_up() -> None:
    """A refused frame is no progress."""
    broker = Broker()

    async with _server(lambda socket: socket.send(b"x" * 2_000)) as url:
        with pytest.raises(EchoPulseError, match="given up after 4 attempts"):
            await _ran(url, broker, replace(QUICK, frame_bytes=1_000))

    assert len(broker.letters()) == 4


async def test_a_kafka_that_is_away_stops_the_reading() -> None:
    """Queues and socket buffers fill and the server can send no more; nothing is lost afterwards."""
    total = 4_000
    sent = 0

    async def handle(socket: ServerConnection) -> None:
        nonlocal sent
        for number in range(total):
            await socket.send(frame(number, pad="x" * 10_000))
            sent += 1
        await socket.wait_closed()

    broker = Broker(here=False)
    async with _server(handle) as url:
        run = alone(
            WebSocketConnector, broker, replace(QUICK, queued_frames=50, batch_frames=10), frames=total, url=url
        )
        running = asyncio.create_task(run_alone(run, asyncio.Event()))
        try:
            await until(lambda: run.figures.frames >= 100)
            await until(_unchanged(lambda: sent))
            stuck, received = sent, run.figures.frames
        finally:
            broker.back()
        await running

    assert stuck < total
    assert received <= 50 + 50 + 10 + 1, "both queues, a batch between them, a frame before them"
    assert broker.ids() == [f"e{number}" for number in range(total)]


def _unchanged(count: Callable[[], int], polls: int = 50) -> Callable[[], bool]:
    """Return a condition that holds once `count` has been the same for so many polls."""
    seen: list[int] = []

    def unchanged() -> bool:
        seen.append(count())
        return len(seen) > polls and len(set(seen[-polls:])) == 1

    return unchanged


async def test_stop_delivers_what_was_received() -> None:
    """The connection is closed, the queue emptied."""
    closed = asyncio.Event()

    async def handle(socket: ServerConnection) -> None:
        for number in range(5):
            await socket.send(frame(number))
        await socket.wait_closed()
        closed.set()

    broker, stop = Broker(here=False), asyncio.Event()
    async with _server(handle) as url:
        run = alone(WebSocketConnector, broker, url=url)
        running = asyncio.create_task(run_alone(run, stop))
        await until(lambda: run.figures.frames == 5)
        stop.set()
        await asyncio.wait_for(closed.wait(), 10)
        broker.back()
        await running

    assert (run.figures.delivered, run.figures.state) == (5, "stopped")


async def test_a_failing_kafka_ends_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own error comes through."""
    monkeypatch.setattr(source_run, "GRACE_S", 1)

    class Broken(Broker):
        def send(self, records: Sequence[Outgoing]) -> asyncio.Future[Refused]:
            raise EchoPulseError(f"Kafka is gone, {len(records)} event waits")

    async def handle(socket: ServerConnection) -> None:
        await socket.send(frame(1))
        await socket.wait_closed()

    async with _server(handle) as url:
        with pytest.raises(EchoPulseError, match="Kafka is gone"):
            await _ran(url, Broken())


async def test_headers_and_subscriptions_are_sent_on_each_connect() -> None:
    """A source that must be asked is asked again after a reconnect."""
    seen: list[tuple[str | None, str | bytes]] = []

    async def handle(socket: ServerConnection) -> None:
        assert socket.request is not None
        seen.append((socket.request.headers.get("X-Key"), await socket.recv()))
        await socket.send(frame(len(seen)))

    async with _server(handle) as url:
        await _ran(url, Broker(), frames=2, headers={"X-Key": "k"}, subscribe=["hello"])

    assert seen[:2] == [("k", "hello")] * 2


async def test_a_refusal_that_no_attempt_mends_is_told_at_once() -> None:
    """A 401 is no reason to try again."""
    attempts = 0

    async def handle(socket: ServerConnection) -> None:
        raise AssertionError(socket)

    def refuse(connection: ServerConnection, _request: object) -> object:
        nonlocal attempts
        attempts += 1
        return connection.respond(401, "no")

    async with serve(handle, "127.0.0.1", 0, process_request=refuse) as server:  # type: ignore[arg-type]
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/?token=secret"
        with pytest.raises(EchoPulseError, match=r"^ws://127\.0\.0\.1:\d+/ answered 401 Unauthorized \(give a valid"):
            await _ran(url, Broker())

    assert attempts == 1


@pytest.mark.parametrize("url", ["http://host/", "host", "ws://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """The value and an example are told."""
    with pytest.raises(EchoPulseError, match="is not a websocket address"):
        WebSocketSource(url)
