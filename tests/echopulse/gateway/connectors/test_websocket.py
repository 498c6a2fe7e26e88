"""The generic websocket connector: where it goes on."""

from __future__ import annotations

from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

import pytest
from websockets.asyncio.server import ServerConnection, serve

from echopulse.gateway.connectors.websocket import WebSocketConnector, WebSocketOptions
from echopulse.gateway.declaration import check_declaration
from echopulse.gateway.source import ConnectionLostError
from schemas.errors import EchoPulseError
from tests.echopulse.gateway.live import QUICK

if TYPE_CHECKING:
    from echopulse.gateway.connector import Arrival


async def _arrivals(resume: str, frames: list[str], **options: object) -> tuple[str, list[Arrival]]:
    """Connect once; return what was asked for and what arrived."""
    asked = ""

    async def handle(socket: ServerConnection) -> None:
        nonlocal asked
        assert socket.request is not None
        asked = socket.request.path
        for frame in frames:
            await socket.send(frame)

    found: list[Arrival] = []
    async with serve(handle, "127.0.0.1", 0, close_timeout=1) as server:
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/feed?wanted=a%20b&cursor=1"
        chosen = check_declaration({"url": url, "mapping": "bluesky", **options}, WebSocketOptions, "x")
        async with aclosing(WebSocketConnector(chosen, QUICK).arrivals(resume)) as arrivals:
            with suppress(ConnectionLostError):
                async for arrival in arrivals:
                    found.append(arrival)  # noqa: PERF401 what came before the connection ended counts
    return asked, found


async def test_a_cursor_is_what_the_last_frame_held() -> None:
    """It replaces the one that the address has; the rest of the address stays."""
    cursor = {"parameter": "cursor", "path": "meta.at"}
    frames = ['{"meta": {"at": 7}}', '{"meta": {"at": "x&y"}}', "{", '{"meta": {}}', '{"meta": {"at": true}}']
    asked, found = await _arrivals("7&8", frames, cursor=cursor)
    assert asked == "/feed?wanted=a+b&cursor=7%268"
    # Those that came at once lead on together, behind the last of them.
    places = [arrival.resume for arrival in found if arrival.resume]
    assert places in (["7", "x&y"], ["x&y"])
    assert "x&y" not in [arrival.resume for arrival in found[:1]]
    assert (await _arrivals("", [], cursor=cursor))[0] == "/feed?wanted=a%20b&cursor=1"


async def test_without_a_cursor_there_is_no_place_to_go_on_from() -> None:
    """Whatever a state of another configuration says."""
    asked, found = await _arrivals("7", ['{"at": 7}'])
    assert (asked, [arrival.resume for arrival in found]) == ("/feed?wanted=a%20b&cursor=1", [""])


def test_a_cursor_without_a_path_is_refused() -> None:
    """In one line."""
    document = {"url": "ws://h/", "mapping": "bluesky", "cursor": {"parameter": "cursor", "path": "a..b"}}
    with pytest.raises(EchoPulseError, match=r"x: cursor\.path: path 'a\.\.b' goes wrong at character 2"):
        check_declaration(document, WebSocketOptions, "x")
