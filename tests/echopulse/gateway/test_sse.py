"""A stream of server-sent events as a source, against a real server on this machine."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from echopulse.gateway.connectors.sse import SseConnector, SseOptions
from echopulse.gateway.single_source import run_alone
from echopulse.gateway.source import ConnectionLostError
from echopulse.gateway.sse import SseSource
from schemas.errors import EchoPulseError
from tests.echopulse.gateway.live import QUICK, Broker, Request, alone, frame, http_server, until

if TYPE_CHECKING:
    from echopulse.gateway.source import Limits
    from echopulse.gateway.source_figures import SourceFigures


async def _ran(url: str, broker: Broker, limits: Limits = QUICK, frames: int | None = None) -> SourceFigures:
    run = alone(SseConnector, broker, limits, frames=frames, url=url)
    await run_alone(run, asyncio.Event())
    return run.figures


def _event(number: int, **more: str) -> bytes:
    return b"id: %d\nevent: message\ndata: %b\n\n" % (number, frame(number, **more))


async def test_events_become_events() -> None:
    """Comments and empty events are none; several data lines are one."""

    async def handle(request: Request) -> None:
        await request.stream()
        await request.send(
            b": keepalive\n\n" + _event(1) + b"retry: 5\n\n" + b'data: {"id": "e2",\ndata: "t": 1767225600000}\n\n'
        )
        await request.send(b"data: {\n\n" + _event(4, skip="1"))
        await request.writer.wait_closed()

    broker = Broker()
    async with http_server(handle) as url:
        figures = await _ran(url, broker, frames=4)

    assert broker.ids() == ["e1", "e2"]
    assert (figures.frames, figures.delivered, figures.filtered, figures.letters) == (4, 2, 1, 1)
    assert (broker.letters()[0].stage, broker.letters()[0].original) == ("parse", b"{")


async def test_a_new_connection_resumes_behind_the_last_id() -> None:
    """The header bears the id of the last event received, also of a faulty one."""
    resumed: list[str | None] = []

    async def handle(request: Request) -> None:
        resumed.append(request.headers.get("last-event-id"))
        await request.stream()
        if len(resumed) == 1:
            await request.send(_event(7) + _event(8))
        elif len(resumed) == 2:
            await request.send(b"id: 9\ndata: \xff\n\n")
        else:
            await request.send(_event(10))
            await request.writer.wait_closed()

    broker = Broker()
    async with http_server(handle) as url:
        figures = await _ran(url, broker, frames=4)

    assert resumed == [None, "8", "9"]
    assert broker.ids() == ["e7", "e8", "e10"]
    assert figures.reconnects == 2
    assert broker.letters()[0].original == b"id: 9\ndata: \xff"
    assert broker.letters()[0].reason.startswith("not UTF-8")


async def test_an_event_too_large_is_refused_and_the_next_is_taken() -> None:
    """On the same connection, with its id behind it, its beginning in the dead letter."""
    connections = 0

    async def handle(request: Request) -> None:
        nonlocal connections
        connections += 1
        await request.stream()
        await request.send(b"data: " + b"x" * 300_000 + b"\nid: 1\n\n" + _event(2))
        await request.writer.wait_closed()

    broker = Broker()
    async with http_server(handle) as url:
        limits = replace(QUICK, frame_bytes=100_000)
        await _ran(url, broker, limits, frames=2)

    assert (connections, broker.ids()) == (1, ["e2"])
    assert "above 100000 bytes was refused" in broker.letters()[0].reason
    assert broker.letters()[0].original.startswith(b"data: xxx")


async def test_an_event_cut_off_is_a_dead_letter() -> None:
    """What came of it is kept; the stream goes on from the last whole event."""
    connections = 0

    async def handle(request: Request) -> None:
        nonlocal connections
        connections += 1
        await request.stream()
        await request.send(_event(1) + b'data: {"id"' if connections == 1 else _event(2))
        if connections > 1:
            await request.writer.wait_closed()

    broker = Broker()
    async with http_server(handle) as url:
        await _ran(url, broker, frames=3)

    assert broker.ids() == ["e1", "e2"]
    assert (broker.letters()[0].reason, broker.letters()[0].original) == (
        "the stream ended inside this event",
        b'data: {"id"',
    )


async def test_a_silent_server_is_left() -> None:
    """The read time-out ends a connection that says nothing."""
    connections = 0

    async def handle(request: Request) -> None:
        nonlocal connections
        connections += 1
        await request.stream()
        if connections > 1:
            await request.send(_event(connections))
        await request.writer.wait_closed()

    broker = Broker()
    async with http_server(handle) as url:
        limits = replace(QUICK, read_timeout_s=0.2)
        await _ran(url, broker, limits, frames=1)

    assert broker.ids() == ["e2"]


async def test_a_busy_server_is_asked_again_until_the_limit() -> None:
    """A 503 may pass; four in a row are enough."""
    async with http_server(lambda request: request.answer("503 Service Unavailable")) as url:
        with pytest.raises(EchoPulseError, match="given up after 4 attempts in a row: the server answered 503"):
            await _ran(url, Broker())


@pytest.mark.parametrize(
    ("status", "content_type", "expected"),
    [
        ("404 Not Found", "text/plain", "answered 404 Not Found .check the address"),
        ("403 Forbidden", "text/plain", "answered 403 Forbidden .give a valid token"),
        ("200 OK", "text/html", "answered with text/html, not text/event-stream"),
    ],
)
async def test_what_no_attempt_mends_is_told_at_once(status: str, content_type: str, expected: str) -> None:
    """One request, one line."""
    requests = 0

    async def handle(request: Request) -> None:
        nonlocal requests
        requests += 1
        await request.answer(status, content_type)

    async with http_server(handle) as url:
        with pytest.raises(EchoPulseError, match=expected):
            await _ran(url, Broker())

    assert requests == 1


async def test_no_content_ends_the_stream() -> None:
    """By the standard a 204 tells the client to stop."""
    async with http_server(lambda request: request.answer("204 No Content")) as url:
        figures = await _ran(url, Broker())

    assert figures.frames == 0


async def test_stop_delivers_what_was_received() -> None:
    """A stream without an end is left in order."""

    async def handle(request: Request) -> None:
        await request.stream()
        await request.send(_event(1) + _event(2))
        await request.writer.wait_closed()

    broker, stop = Broker(), asyncio.Event()
    async with http_server(handle) as url:
        run = alone(SseConnector, broker, url=url)
        running = asyncio.create_task(run_alone(run, stop))
        await until(lambda: run.figures.frames == 2)
        stop.set()
        await running

    assert (run.figures.delivered, broker.ids(), run.figures.place) == (2, ["e1", "e2"], "2")


async def test_the_wait_that_the_server_asks_for_is_kept_also_after_an_error() -> None:
    """`retry` counts however the connection ends."""

    async def handle(request: Request) -> None:
        await request.stream()
        await request.send(b"retry: 7000\n\n" + _event(1))
        request.writer.transport.abort()

    async with http_server(handle) as url:
        connector = SseConnector(SseOptions(mapping="bluesky", url=url), QUICK)
        with pytest.raises(ConnectionLostError) as lost:
            [_ async for _ in connector.arrivals("")]

    assert lost.value.wait_s == 7.0


@pytest.mark.parametrize("url", ["ws://host/", "host", "http://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """The value and an example are told."""
    with pytest.raises(EchoPulseError, match="is not an address of a stream"):
        SseSource(url)
