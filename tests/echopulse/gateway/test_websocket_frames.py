"""Messages of a websocket, frame by frame from a server that knows no library."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from websockets.frames import Frame, Opcode
from websockets.utils import accept_key

from echopulse.gateway.source import ConnectionLostError
from echopulse.gateway.websocket import WebSocketSource
from tests.echopulse.gateway.live import QUICK, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from echopulse.gateway.source import Limits

    Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def _served(handle: Handle) -> AsyncIterator[str]:
    """Serve one handshake after the other, then let `handle` write what it likes."""

    async def shake_hands(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        key = next(line.partition(": ")[2] for line in lines if line.lower().startswith("sec-websocket-key: "))
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept_key(key).encode() + b"\r\n\r\n"
        )
        try:
            await handle(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(shake_hands, "127.0.0.1", 0)
    try:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/path"
    finally:
        server.close()


def _bytes(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin=fin).serialize(mask=False)


async def _read(url: str, limits: Limits = QUICK) -> tuple[list[bytes], list[str], str]:
    """Return the messages, the faults and the reason of the end of one connection."""
    found: list[bytes] = []
    faults: list[str] = []
    async with asyncio.timeout(20), aclosing(WebSocketSource(url, limits=limits).bursts()) as bursts:
        try:
            async for frames, fault in bursts:
                found += [] if fault else frames
                faults += [fault] if fault else []
        except ConnectionLostError as ended:
            return found, faults, str(ended)
    raise AssertionError("a connection ends with a reason")


def _writes(*parts: bytes) -> Handle:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
        while await reader.read(65_536):
            pass

    return handle


_CLOSE = _bytes(Opcode.CLOSE, (1001).to_bytes(2, "big") + b"going away")


async def test_parts_become_one_message() -> None:
    """With a ping between them, and whole ones before and behind; the server's reason is told."""
    parts = [
        _bytes(Opcode.TEXT, b"first") + _bytes(Opcode.TEXT, b"a", fin=False),
        _bytes(Opcode.PING, b"x") + _bytes(Opcode.CONT, b"b", fin=False),
        _bytes(Opcode.CONT, b"c") + _bytes(Opcode.BINARY, b"\x00last") + _CLOSE,
    ]
    async with _served(_writes(*parts)) as url:
        found, faults, reason = await _read(url)
    assert (found, faults) == ([b"first", b"abc", b"\x00last"], [])
    assert reason == "the server closed: 1001 going away"


async def test_what_came_before_a_cut_is_given() -> None:
    """And then the cut is told."""

    async def handle(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(_bytes(Opcode.TEXT, b"one") + _bytes(Opcode.TEXT, b"two")[:-1])
        await writer.drain()

    async with _served(handle) as url:
        assert await _read(url) == ([b"one"], [], "it was cut off")


@pytest.mark.parametrize(
    "frames",
    [
        _bytes(Opcode.CONT, b"of nothing"),
        _bytes(Opcode.TEXT, b"a", fin=False) + _bytes(Opcode.TEXT, b"b"),
        b"\xc1\x08deflated",
    ],
)
async def test_a_broken_rule_ends_the_connection(frames: bytes) -> None:
    """RFC 6455, 5.4 and 5.2."""
    async with _served(_writes(_bytes(Opcode.TEXT, b"good"), frames)) as url:
        found, _, reason = await _read(url)
    assert found == [b"good"]
    assert reason == "the server broke the websocket's rules: a frame out of turn, or compressed unasked"


@pytest.mark.parametrize(
    "frames",
    [
        _bytes(Opcode.TEXT, b"x" * 2_000),
        _bytes(Opcode.TEXT, b"x" * 600, fin=False) + _bytes(Opcode.CONT, b"x" * 600),
    ],
)
async def test_a_message_too_large_is_refused(frames: bytes) -> None:
    """In one frame or in several."""
    async with _served(_writes(frames)) as url:
        found, faults, _ = await _read(url, replace(QUICK, frame_bytes=1_000))
    assert (found, faults) == ([], ["a frame above 1000 bytes was refused; its bytes were not read"])


async def test_a_silent_server_is_left() -> None:
    """One that answers no ping."""

    async def handle(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            pass

    async with _served(handle) as url:
        found, _, reason = await _read(url, replace(QUICK, read_timeout_s=0.2))
    assert (found, reason) == ([], "nothing was heard for 0.2 s")


async def test_a_server_that_is_not_read_is_not_left() -> None:
    """However long nothing is taken: what it says cannot be heard then, and all of it is there afterwards."""
    total, sent = 2_000, 0

    async def handle(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        for number in range(total):
            writer.write(_bytes(Opcode.TEXT, b"%d " % number + b"x" * 10_000))
            await writer.drain()
            sent += 1

    async with _served(handle) as url:
        source = WebSocketSource(url, limits=replace(QUICK, read_timeout_s=0.05))
        found: list[bytes] = []
        async with asyncio.timeout(20), aclosing(source.bursts()) as bursts:
            with suppress(ConnectionLostError):
                async for frames, _ in bursts:
                    before = sent if found else -1
                    while before != sent:
                        before = sent
                        await asyncio.sleep(0.3)
                    assert found or sent < total, "TCP holds the server back"
                    found += frames
    assert [int(frame.split()[0]) for frame in found] == list(range(total))


async def test_a_connection_that_is_given_up_is_closed() -> None:
    """With a closing frame."""
    got = b""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal got
        writer.write(_bytes(Opcode.TEXT, b"one"))
        while data := await reader.read(65_536):
            got += data

    async with _served(handle) as url:
        async with aclosing(WebSocketSource(url, limits=QUICK).bursts()) as bursts:
            async for _ in bursts:
                break
        await until(lambda: got[:1] == b"\x88")
