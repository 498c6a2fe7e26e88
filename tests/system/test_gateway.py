"""`echopulse ingest run` as a process, on a Kafka that stands still and dies, and killed itself once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from typing import TYPE_CHECKING

import pytest
import yaml

from bench.feed import CURSOR, MAPPING, Feed
from bench.gateway_books import Books, balance, ids_of
from bench.gateway_process import GatewayProcess
from echopulse.gateway.topics_admin import ensure_topics
from echopulse.stack import Stack, stack_settings
from echopulse.stack.kafka import Kafka
from tests.ports import free_port
from tests.system.own_stack import own_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.gateway_process import Samples

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

_DEADLINE_S = 60
_CHANNELS, _DENIED, _RATE = 8, 7, 1_500
_QUEUE = {"events": 500, "bytes": 1_000_000}


@pytest.fixture
def kafka(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """Yield a stack of one broker, its topics made."""
    for name in [name for name in os.environ if name.startswith("ECHOPULSE_")]:
        monkeypatch.delenv(name)
    settings = stack_settings(own_settings(tmp_path / "home"))
    with Stack(settings, lambda _: None, services=[Kafka(settings)], jar_groups=()).bring_up() as stack:
        ensure_topics(stack.addresses["kafka"])
        yield stack


def _sources(folder: Path, websocket: str, events: str) -> dict[str, object]:
    mapping = folder / "mapping.yaml"
    mapping.write_text(yaml.safe_dump(MAPPING))
    return {
        "chat": {
            "connector": "websocket",
            "options": {"url": websocket, "mapping": str(mapping), "cursor": CURSOR},
            "channels": {"deny": [f"chat-{_DENIED}"]},
            "queue": _QUEUE,
            "spool": {"enabled": True},
        },
        "news": {"connector": "sse", "options": {"url": events, "mapping": str(mapping)}, "queue": _QUEUE},
    }


async def _grown(count: int, *feeds: Feed) -> None:
    await asyncio.gather(*(feed.grow(count, _RATE) for feed in feeds))


def _wanted(feed: Feed) -> list[int]:
    denied = _DENIED if feed.name == "chat" else None
    return [number for number in range(len(feed)) if number % _CHANNELS != denied]


async def _books(bootstrap: str, feed: Feed) -> Books:
    """Read Kafka again and again until all is there, for a while."""
    deadline = time.monotonic() + _DEADLINE_S
    while True:
        found = await asyncio.to_thread(lambda: list(ids_of(bootstrap)))
        books = balance(found, feed.name, _wanted(feed), _CHANNELS)
        if not books.missing or time.monotonic() > deadline:
            return books
        await asyncio.sleep(0.2)


def _drained(samples: Samples) -> bool:
    waiting = ("gateway_spool_bytes", "gateway_queue_events")
    return not any(samples[name, source] for name in waiting for source in ("chat", "news"))


async def test_nothing_is_lost_and_the_order_is_kept(kafka: Stack, tmp_path: Path) -> None:
    """A broker that stands still, connections cut, broker and gateway killed; the metrics tell all of it."""
    bootstrap = kafka.addresses["kafka"]
    chat, news = Feed("chat", _CHANNELS), Feed("news", _CHANNELS)
    async with (
        chat.websocket() as websocket,
        news.events() as events,
        GatewayProcess(tmp_path, bootstrap, free_port()) as gateway,
    ):
        gateway.configure(_sources(tmp_path, websocket, events))
        await gateway.start()
        await _grown(3_000, chat, news)
        await gateway.until(_drained, "all in Kafka")

        broker = kafka.service("kafka").pid
        assert broker is not None
        os.kill(broker, signal.SIGSTOP)
        try:
            await _grown(4_500, chat, news)
            full = await gateway.until(
                lambda found: found["gateway_spool_bytes", "chat"] > 0 and found["gateway_queue_events", "news"] > 500,
                "a spool in use and a source that waits",
            )
        finally:
            os.kill(broker, signal.SIGCONT)
        drained = await gateway.until(
            lambda found: _drained(found) and found["event_ingest_lag_seconds_count", "news"] == len(news), "the drain"
        )
        denied = len(chat) - len(_wanted(chat))
        assert full["gateway_queue_bytes", "news"] > 0
        assert drained["gateway_dropped_total", "channel"] == denied
        assert drained["event_ingest_lag_seconds_count", "chat"] == len(chat) - denied
        assert drained["event_ingest_lag_seconds_sum", "chat"] > 0
        assert (await _books(bootstrap, chat), await _books(bootstrap, news)) == (Books(0, 0, 0), Books(0, 0, 0))

        chat.cut()
        news.cut()
        await _grown(500, chat, news)
        await gateway.until(
            lambda found: all(found["gateway_reconnects_total", source] > 0 for source in ("chat", "news")),
            "connections made again",
        )

        kafka.service("kafka").kill()
        await _grown(3_000, chat, news)
        await gateway.until(lambda found: found["gateway_spool_bytes", "chat"] > 0, "a spool in use")
        await gateway.kill()
        await _grown(500, chat, news)
        await asyncio.to_thread(kafka.restart, "kafka")
        await gateway.start()
        await _grown(1_500, chat, news)
        after = [await _books(bootstrap, feed) for feed in (chat, news)]
        told = json.loads(await gateway.stop())

    assert [books.balanced for books in after] == [True, True], after
    assert {name: of["state"] for name, of in told["sources"].items()} == {"chat": "stopped", "news": "stopped"}
    assert told["sources"]["chat"]["spool_bytes"] == 0
