"""From a real JetStream to librdkafka's own broker."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from echopulse.gateway.acknowledged_producer import AcknowledgedProducer
from echopulse.gateway.bridge import Bridge
from echopulse.gateway.jetstream_producer import JetStreamProducer
from echopulse.gateway.nats_config import NatsConfig
from echopulse.gateway.nats_connection import connect, disconnect
from echopulse.gateway.nats_message import pack
from echopulse.gateway.nats_stream import ensure_stream
from echopulse.gateway.outgoing import Outgoing
from schemas.avro import decode_dead_letter
from schemas.social_event_pb2 import SocialEvent
from schemas.topics import DLQ, EVENTS
from tests.echopulse.gateway.live import until
from tests.echopulse.gateway.nats_server import NatsServer, nats_running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from pathlib import Path

    from echopulse.gateway.bus import RecordSink, Refused
    from tests.echopulse.gateway.conftest import Record

_TS = 1_700_000_000_000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    """Yield a server whose stream exists."""
    with nats_running(tmp_path) as found:
        asyncio.run(ensure_stream(NatsConfig(servers=[found.url])))
        yield found


def event(number: int, channels: int = 5) -> Outgoing:
    """Return a record by number."""
    channel = f"c{number % channels}"
    value = SocialEvent(id=f"e{number}", channel_id=channel).SerializeToString()
    return Outgoing(EVENTS, channel.encode(), value, _TS + number, (("h", b"\xff"),))


async def publish(config: NatsConfig, records: Sequence[Outgoing]) -> None:
    """Publish them, all acknowledged."""
    bus = JetStreamProducer(config)
    async with asyncio.timeout(30):
        assert await bus.send(records) == []
    await bus.close()


@asynccontextmanager
async def bridged(config: NatsConfig, sink: RecordSink) -> AsyncIterator[Bridge]:
    """Run a bridge for a while."""
    bridge, stop = Bridge(config, sink), asyncio.Event()
    running = asyncio.create_task(bridge.run(stop))
    try:
        yield bridge
    finally:
        stop.set()
        async with asyncio.timeout(30):
            await running


async def left(config: NatsConfig) -> int:
    """Return how many messages the stream holds."""
    connection = await connect(config)
    try:
        return (await connection.jetstream().stream_info(config.stream)).state.messages
    finally:
        await disconnect(connection)


async def until_empty(config: NatsConfig) -> None:
    """Wait until everything is acknowledged."""
    async with asyncio.timeout(30):
        while await left(config):  # noqa: ASYNC110 the server says it, not this loop
            await asyncio.sleep(0.05)


async def until_stored_again(config: NatsConfig, record: Outgoing) -> None:
    """Publish a record until the stream's window for its id is over."""
    connection, message = await connect(config), pack(record, config.stream)
    stream, repeat = connection.jetstream(), True
    async with asyncio.timeout(30):
        while repeat:
            acknowledged = await stream.publish(message.subject, message.payload, headers=message.headers)
            repeat = bool(acknowledged.duplicate)
    await disconnect(connection)


class Slow:
    """A sink that acknowledges when it is told to, and notes what came."""

    def __init__(self) -> None:
        self.records: list[Outgoing] = []
        self.futures: list[asyncio.Future[Refused]] = []

    def send(self, records: Sequence[Outgoing]) -> asyncio.Future[Refused]:
        """Keep."""
        future: asyncio.Future[Refused] = asyncio.get_running_loop().create_future()
        self.records += records
        self.futures.append(future)
        return future

    def acknowledge(self) -> None:
        """Acknowledge all."""
        for future in self.futures:
            if not future.done():
                future.set_result([])


async def test_all_arrive_in_order_and_leave_the_stream(
    server: NatsServer, bootstrap: str, read_topic: Callable[[str, int], list[Record]]
) -> None:
    """With key, time and headers, each channel in order."""
    config = NatsConfig(servers=[server.url])
    records = [event(number) for number in range(2_000)]
    await publish(config, records)
    producer = AcknowledgedProducer(bootstrap)
    async with bridged(config, producer) as bridge:
        await until_empty(config)
        assert (bridge.figures.carried, bridge.figures.duplicates, bridge.figures.state) == (2_000, 0, "carrying")
    await producer.close()
    found = await asyncio.to_thread(read_topic, EVENTS, 2_000)
    for channel in {record.key for record in records}:
        expected = [(record.value, record.ts) for record in records if record.key == channel]
        assert [(record.value, record.ts_ms) for record in found if record.key == channel] == expected
    assert {record.headers["h"] for record in found} == {b"\xff"}


async def test_what_kafka_has_not_acknowledged_stays(server: NatsServer) -> None:
    """Also when the bridge ends and another goes on: those in hand come again, in order, before what is newer."""
    config = NatsConfig(servers=[server.url])
    await publish(config, [event(number) for number in range(60)])
    slow = Slow()
    bridge, stop = Bridge(config, slow), asyncio.Event()
    running = asyncio.create_task(bridge.run(stop))
    await until(lambda: len(slow.records) == 60)
    # As if it were killed: nothing is acknowledged and nothing said.
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert await left(config) == 60
    await publish(config, [event(number) for number in range(60, 400)])
    after = Slow()
    async with bridged(config, after) as second:
        await until(lambda: len(after.records) == 400)
        after.acknowledge()
        await until_empty(config)
        assert second.figures.redelivered >= 60
    assert [record.ts - _TS for record in sorted(after.records, key=lambda r: r.key)] == [
        number for channel in range(5) for number in range(channel, 400, 5)
    ]


async def test_a_server_that_is_killed_is_found_again(server: NatsServer) -> None:
    """Nothing lost, nothing twice: what was on its way to Kafka is delivered again and known by its id."""
    config = NatsConfig(servers=[server.url])
    await publish(config, [event(number) for number in range(200)])
    slow = Slow()
    async with bridged(config, slow) as bridge:
        await until(lambda: len(slow.records) == 200)
        server.kill()
        slow.acknowledge()
        await until(lambda: bridge.figures.state == "away")
        await asyncio.to_thread(server.start)
        await publish(config, [event(number) for number in range(200, 300)])
        async with asyncio.timeout(60):
            while await left(config):
                slow.acknowledge()
                await asyncio.sleep(0.05)
        assert bridge.figures.carried == 300
        assert bridge.figures.reconnects >= 1
    assert sorted(record.ts - _TS for record in slow.records) == list(range(300))


async def test_an_id_goes_over_once(tmp_path: Path) -> None:
    """Also where the stream's own window was over and it stored the repeat."""
    with nats_running(tmp_path) as found:
        config = NatsConfig(servers=[found.url], duplicate_window_s=1)
        await ensure_stream(config)
        await publish(config, [event(1)])
        await until_stored_again(config, event(1))
        await publish(config, [event(2)])
        assert await left(config) == 3
        slow = Slow()
        async with bridged(config, slow) as bridge:
            await until(lambda: len(slow.records) == 2)
            slow.acknowledge()
            await until_empty(config)
            assert bridge.figures.duplicates == 1
        assert [record.ts - _TS for record in slow.records] == [1, 2]


async def test_messages_that_were_deleted_do_not_stop_it(server: NatsServer) -> None:
    """Gaps in the stream are left out once nothing else is on its way."""
    config = NatsConfig(servers=[server.url])
    await publish(config, [event(number) for number in range(10)])
    connection = await connect(config)
    for number in (1, 4, 5):
        await connection.jetstream().delete_msg(config.stream, number)
    await disconnect(connection)
    slow = Slow()
    async with bridged(config, slow):
        await until(lambda: len(slow.records) == 7)
        slow.acknowledge()
        await until_empty(config)
    assert [record.ts - _TS for record in slow.records] == [1, 2, 5, 6, 7, 8, 9]


async def test_what_cannot_go_over_becomes_a_dead_letter(server: NatsServer) -> None:
    """A message that no gateway made, and an event that Kafka refuses."""
    config = NatsConfig(servers=[server.url])
    connection = await connect(config)
    await connection.jetstream().publish(f"{EVENTS}.x", b"hello")
    await disconnect(connection)
    await publish(config, [event(1)])

    class Refusing(Slow):
        def send(self, records: Sequence[Outgoing]) -> asyncio.Future[Refused]:
            future = super().send(records)
            future.set_result([(record, "too large") for record in records if record.topic == EVENTS])
            return future

    refusing = Refusing()
    async with bridged(config, refusing) as bridge:
        await until_empty(config)
        assert (bridge.figures.refused, bridge.figures.carried) == (2, 1)
    letters = [decode_dead_letter(record.value) for record in refusing.records if record.topic == DLQ]
    assert [(letter.stage, letter.reason, letter.origin, letter.event_id) for letter in letters] == [
        ("parse", "no message of a gateway: it has no header Kafka-Key", "social-events:1", ""),
        ("produce", "too large", EVENTS, "e1"),
    ]
    assert [letter.original for letter in letters] == [b"hello", event(1).value]
