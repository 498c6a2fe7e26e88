from __future__ import annotations

import json
import time

import pytest
from websockets.asyncio.client import connect

from bench.frame_server import FrameServer, TimedFrames

_MARK = b'"t":'


def _texts(first: int, last: int) -> list[bytes]:
    return [b'{"n":%d,"t":1700000000000}' % number for number in range(first, last)]


@pytest.mark.timeout(30)
async def test_a_client_gets_every_frame_in_order_made_beforehand_or_paced() -> None:
    """By a WebSocket client that is not ours; 2,500 frames do not divide into chunks evenly."""
    server, began_ms = FrameServer(_texts), time.time_ns() // 1_000_000
    async with server.serve() as address, connect(address, compression=None, close_timeout=1) as socket:
        await server.give(server.made(0, 2_500))
        await server.pace(server.timed(2_500, 100, _MARK), 10_000.0)
        assert [await socket.recv(decode=False) for _ in range(2_500)] == _texts(0, 2_500)
        paced = [json.loads(await socket.recv()) for _ in range(100)]
    times = [frame["t"] for frame in paced]
    assert [frame["n"] for frame in paced] == list(range(2_500, 2_600))
    assert times == sorted(times)
    assert began_ms <= times[0] <= times[-1] <= time.time_ns() // 1_000_000


def test_a_frame_without_a_time_is_refused() -> None:
    """It cannot be stamped."""
    with pytest.raises(ValueError, match="subsection not found"):
        TimedFrames([b"{}"], _MARK)
