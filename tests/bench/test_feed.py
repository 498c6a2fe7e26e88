"""The platform of the bench: paced, and given again from any place on."""

from __future__ import annotations

import asyncio

import httpx
import orjson
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from bench.feed import Feed


async def test_over_a_websocket() -> None:
    """All from the beginning, and behind a place; a cut ends the connection."""
    feed = Feed("chat", 3)
    await feed.grow(5, 1_000.0)
    async with feed.websocket() as url, connect(url) as first, connect(f"{url}?after=2") as second:
        all_of_it = [orjson.loads(await first.recv()) for _ in range(5)]
        rest = [orjson.loads(await second.recv()) for _ in range(2)]
        feed.cut()
        with pytest.raises(ConnectionClosed):
            await first.recv()
    assert [(frame["id"], frame["c"]) for frame in all_of_it] == [
        *(("chat-0", "chat-0"), ("chat-1", "chat-1"), ("chat-2", "chat-2")),
        *(("chat-3", "chat-0"), ("chat-4", "chat-1")),
    ]
    assert rest == all_of_it[3:]
    assert feed.connections == 2


async def test_as_server_sent_events() -> None:
    """Behind the last id; a message comes when it comes to be."""
    feed = Feed("news", 2)
    await feed.grow(2, 1_000.0)
    found: list[str] = []
    async with feed.events() as url, httpx.AsyncClient() as client:
        growing = asyncio.create_task(feed.grow(1, 10.0))
        async with client.stream("GET", url, headers={"Last-Event-ID": "0"}) as response:
            async for line in response.aiter_lines():
                found += [line] if line.startswith("id") else []
                if len(found) == 2:
                    break
        await growing
    assert found == ["id: 1", "id: 2"]
