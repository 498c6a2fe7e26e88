"""What goes wrong with JetStream, and what the producer makes of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from echopulse.gateway.jetstream_producer import JetStreamProducer
from echopulse.gateway.nats_config import NatsConfig
from echopulse.gateway.nats_connection import connect, disconnect
from echopulse.gateway.nats_stream import BRIDGE, ensure_stream
from echopulse.gateway.outgoing import Outgoing
from schemas.errors import EchoPulseError
from schemas.social_event_pb2 import SocialEvent
from schemas.topics import EVENTS
from tests.echopulse.gateway.live import until
from tests.echopulse.gateway.nats_server import nats_running
from tests.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

_KIBIBYTE = 1024


def event(number: int, size: int = 0) -> Outgoing:
    """Return a record by number, all of one channel."""
    value = SocialEvent(id=f"e{number}", channel_id="c", raw_payload=b"x" * size).SerializeToString()
    return Outgoing(EVENTS, b"c", value, number)


async def test_a_full_stream_is_waited_for(tmp_path: Path) -> None:
    """What found no room goes first when there is some: no later one of its channel passes it."""
    with nats_running(tmp_path) as server:
        config = NatsConfig(servers=[server.url], max_bytes=1024 * _KIBIBYTE)
        await ensure_stream(config)
        bus = JetStreamProducer(config)
        sent = bus.send([event(number, 100 * _KIBIBYTE if number < 15 else 0) for number in range(30)])
        await until(lambda: bus.resent > 0)
        assert not sent.done()
        connection = await connect(config)
        reader = await connection.jetstream().pull_subscribe_bind(BRIDGE, stream=config.stream)
        names: list[str] = []
        async with asyncio.timeout(30):
            while len(names) < 30:
                for message in await reader.fetch(5, timeout=20):
                    names.append(SocialEvent.FromString(message.data).id)
                    await message.ack()
            assert await sent == []
        assert names == [f"e{number}" for number in range(30)]
        await disconnect(connection)
        await bus.close()


async def test_a_forbidden_subject_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The result says so, and so does the next call."""
    allowed = '{ publish: ["$JS.API.>"], subscribe: ">" }'
    lines = f'authorization {{ users: [{{ user: "me", password: "word", permissions: {allowed} }}] }}'
    with nats_running(tmp_path, lines) as server:
        monkeypatch.setenv("WORD", "word")
        config = NatsConfig.model_validate({"servers": [server.url], "user": "me", "password": "env:WORD"})
        await ensure_stream(config)
        bus = JetStreamProducer(config)
        async with asyncio.timeout(30):
            with pytest.raises(EchoPulseError, match=r"permissions violation for publish to .social\.events\.c"):
                await bus.send([event(1)])
        with pytest.raises(EchoPulseError, match="permissions violation"):
            bus.send([event(2)])
        await bus.close(30)


async def test_attempts_have_an_end() -> None:
    """After so many failed connections in a row it is lost."""
    url = f"nats://127.0.0.1:{free_port()}"
    bus = JetStreamProducer(NatsConfig(servers=[url], attempts=2))
    async with asyncio.timeout(30):
        with pytest.raises(EchoPulseError, match=f"no NATS server answers at {url}"):
            await bus.send([event(1)])
    await bus.close()


async def test_another_stream_does_not_take_them(tmp_path: Path) -> None:
    """The subjects of a stream of another name are not written to."""
    with nats_running(tmp_path) as server:
        config = NatsConfig(servers=[server.url])
        await ensure_stream(config)
        bus = JetStreamProducer(config.model_copy(update={"stream": "other"}))
        async with asyncio.timeout(30):
            with pytest.raises(EchoPulseError) as raised:
                await bus.send([event(1)])
        assert str(raised.value) == f"NATS at {server.url}: social.events.c is another stream's"
        await bus.close()
