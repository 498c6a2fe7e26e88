from __future__ import annotations

import pytest
from websockets.asyncio.client import connect

from bench.frame_server import FrameServer


@pytest.mark.timeout(30)
async def test_a_client_gets_every_frame_in_order_made_beforehand_or_paced() -> None:
    """By a WebSocket client that is not ours; 2,500 frames do not divide into chunks evenly."""
    server = FrameServer(lambda first, last: [b'{"n":%d}' % number for number in range(first, last)])
    async with server.serve() as address, connect(address, compression=None) as socket:
        await server.give(server.made(0, 2_500))
        await server.pace(2_500, 100, 10_000.0)
        assert [await socket.recv(decode=False) for _ in range(2_600)] == [b'{"n":%d}' % n for n in range(2_600)]
