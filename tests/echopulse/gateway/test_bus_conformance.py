"""What a bus promises, over each bus with its real server: JetStream's from a wheel, Kafka from its jars."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition
from nats.js.api import AckPolicy, ConsumerConfig

from echopulse.gateway.acknowledged_producer import AcknowledgedProducer
from echopulse.gateway.jetstream_producer import JetStreamProducer
from echopulse.gateway.kafka_client import BoundedProducer
from echopulse.gateway.nats_config import NatsConfig
from echopulse.gateway.nats_connection import connect, disconnect
from echopulse.gateway.nats_message import unpack
from echopulse.gateway.nats_stream import ensure_stream
from echopulse.gateway.outgoing import Outgoing
from echopulse.gateway.topics_admin import ensure_topics
from echopulse.stack import Stack, StackSettings
from echopulse.stack.kafka import Kafka
from schemas.social_event_pb2 import SocialEvent
from schemas.topics import EVENTS
from tests.echopulse.gateway.nats_server import NatsServer, nats_running
from tests.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from echopulse.gateway.bus import Bus

pytestmark = pytest.mark.timeout(240)

_DEADLINE_S = 60
_TS = time.time_ns() // 1_000_000
_THREE_YEARS_MS = 3 * 365 * 86_400_000
_MEBIBYTE = 1024 * 1024
_CHANNELS = 7


def event(name: str, channel: str = "lobby", size: int = 0, age_ms: int = 0) -> Outgoing:
    """Return a record of an event, with a header that is no text."""
    value = SocialEvent(id=name, channel_id=channel, raw_payload=b"x" * size).SerializeToString()
    return Outgoing(EVENTS, channel.encode(), value, _TS - age_ms, (("schema", b"\x00\xff\r\n"),))


def numbered(first: int, count: int, age_ms: int = 0) -> list[Outgoing]:
    """Return events by number, over a few channels whose names are awkward in a subject."""
    return [event(f"e{n}", f"room {n % _CHANNELS}.*>é", age_ms=age_ms) for n in range(first, first + count)]


def by_channel(records: list[Outgoing]) -> dict[bytes, list[int]]:
    """Return the numbers of events by channel, in order."""
    found: dict[bytes, list[int]] = {}
    for record in records:
        found.setdefault(record.key, []).append(int(SocialEvent.FromString(record.value).id[1:]))
    return found


class Server(Protocol):
    """A bus's server, as the tests handle it."""

    #: Whether it stores an event that is sent twice once; elsewhere the job drops the repeat by its id.
    stores_once: bool

    def bus(self) -> Bus:
        """Return a new connection to it."""

    def kill(self) -> None:
        """Kill it with -9."""

    def restart(self) -> None:
        """Start it again on its store."""

    async def stored(self) -> list[Outgoing]:
        """Read everything that it holds."""


@dataclass
class Jet:
    """JetStream."""

    server: NatsServer
    config: NatsConfig
    stores_once: bool = True

    def bus(self) -> Bus:
        """See Server."""
        return JetStreamProducer(self.config)

    def kill(self) -> None:
        """See Server."""
        self.server.kill()

    def restart(self) -> None:
        """See Server."""
        self.server.start()

    async def stored(self) -> list[Outgoing]:
        """See Server."""
        connection = await connect(self.config)
        try:
            stream = connection.jetstream()
            await stream.add_consumer("social-events", ConsumerConfig(name="all", ack_policy=AckPolicy.NONE))
            subscription = await stream.pull_subscribe_bind("all", stream="social-events")
            count = (await stream.stream_info("social-events")).state.messages
            found: list[Outgoing] = []
            while len(found) < count:
                messages = await subscription.fetch(500, timeout=_DEADLINE_S)
                found += [unpack(message.subject, message.data, message.headers or {}) for message in messages]
            await stream.delete_consumer("social-events", "all")
            return found
        finally:
            await disconnect(connection)


@dataclass
class Broker:
    """Kafka; its topics hold what earlier tests wrote, so that a test reads from where it began."""

    stack: Stack
    began: dict[int, int]
    stores_once: bool = False

    @property
    def address(self) -> str:
        """Where it listens."""
        return self.stack.addresses["kafka"]

    def bus(self) -> Bus:
        """See Server."""
        return AcknowledgedProducer(self.address)

    def kill(self) -> None:
        """See Server."""
        self.stack.service("kafka").kill()

    def restart(self) -> None:
        """See Server."""
        self.stack.restart("kafka")

    async def stored(self) -> list[Outgoing]:
        """See Server."""
        return await asyncio.to_thread(self._read)

    def ends(self, consumer: Consumer) -> dict[int, int]:
        """Return the end of each partition."""
        partitions = BoundedProducer(self.address, lambda _error, _message: None).partitions(EVENTS)
        return {number: _end(consumer, number) for number in partitions}

    def consumer(self) -> Consumer:
        """Return a client that reads."""
        return Consumer({"bootstrap.servers": self.address, "group.id": "test", "log_level": 0})

    def _read(self) -> list[Outgoing]:
        consumer = self.consumer()
        ends = self.ends(consumer)
        count = sum(ends.values()) - sum(self.began.values())
        consumer.assign([TopicPartition(EVENTS, number, self.began[number]) for number in ends])
        found: list[Outgoing] = []
        while len(found) < count:
            messages = consumer.consume(count - len(found), timeout=_DEADLINE_S)
            assert messages, f"{len(found)} of {count} messages came"
            for message in messages:
                headers = tuple(
                    (name, value) for name, value in dict(message.headers() or {}).items() if isinstance(value, bytes)
                )
                found.append(
                    Outgoing(EVENTS, message.key() or b"", message.value() or b"", message.timestamp()[1], headers)
                )
        consumer.close()
        return found


def _end(consumer: Consumer, partition: int) -> int:
    """Return a partition's end; a broker that was just started leads it only after a while."""
    deadline = time.monotonic() + _DEADLINE_S
    while True:
        try:
            return consumer.get_watermark_offsets(TopicPartition(EVENTS, partition), timeout=_DEADLINE_S)[1]
        except KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@pytest.fixture(scope="module")
def kafka_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Yield a stack of one broker."""
    broker, controller = free_ports(2)
    settings = StackSettings(
        home=tmp_path_factory.mktemp("stack"), kafka_port=broker, kafka_controller_port=controller, kafka_heap_mb=256
    )
    with Stack(settings, lambda _: None, services=[Kafka(settings)], jar_groups=()).bring_up() as stack:
        ensure_topics(stack.addresses["kafka"])
        yield stack


@contextmanager
def _jet(folder: Path) -> Iterator[Server]:
    with nats_running(folder) as server:
        config = NatsConfig(servers=[server.url])
        asyncio.run(ensure_stream(config))
        yield Jet(server, config)


@contextmanager
def _broker(stack: Stack) -> Iterator[Server]:
    broker = Broker(stack, {})
    consumer = broker.consumer()
    broker.began = broker.ends(consumer)
    consumer.close()
    yield broker


@pytest.fixture(params=["nats", pytest.param("kafka", marks=pytest.mark.system)])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """Yield each bus's server, without events of this test."""
    with _jet(tmp_path) if request.param == "nats" else _broker(request.getfixturevalue("kafka_stack")) as found:
        yield found


async def test_a_record_arrives_as_it_was_sent(server: Server) -> None:
    """Topic, key, value, time and headers; whatever characters they have; a batch of nothing is there at once."""
    records = [event("e0", "a.b *>é\r\n"), event("e1", "-"), event("e2", "%2D"), event("e3", "c" * 3000)]
    bus = server.bus()
    async with asyncio.timeout(_DEADLINE_S):
        assert await bus.send(records) == []
        assert await bus.send([]) == []
    await bus.close()
    assert sorted(await server.stored()) == sorted(records)


async def test_the_acknowledged_outlive_a_kill(server: Server) -> None:
    """Killed right behind the acknowledgement and started again, the server has all of them, each channel in order."""
    bus = server.bus()
    async with asyncio.timeout(_DEADLINE_S):
        assert not any(await asyncio.gather(bus.send(numbered(0, 900)), bus.send(numbered(900, 1_100))))
    server.kill()
    await asyncio.to_thread(server.restart)
    await bus.close()
    found = by_channel(await server.stored())
    assert found == by_channel(numbered(0, 2_000))


async def test_what_is_sent_to_an_absent_server_waits_for_it(server: Server) -> None:
    """Killed with batches on their way, back a while later: nothing lost, each channel in order, nothing twice."""
    found = await _found_after_a_kill(server, 0)
    counts = Counter(number for numbers in found.values() for number in numbers)
    assert [number for number in range(4_100) if not counts[number]] == [], "lost"
    assert [number for number in range(4_100) if counts[number] > 1] == [], "doubled"
    assert found == by_channel(numbered(0, 4_100))


async def test_old_events_that_wait_for_an_absent_server(server: Server) -> None:
    """Nothing lost, and each channel in order once repeats are dropped by id, as the job drops them.

    A broker that starts again forgets the producers of batches whose records are older than its
    `producer.id.expiration.ms`, by the records' own time, and stores what it had stored and is sent again once more.
    """
    found = await _found_after_a_kill(server, _THREE_YEARS_MS)
    once = {channel: list(dict.fromkeys(numbers)) for channel, numbers in found.items()}
    assert once == by_channel(numbered(0, 4_100))
    if server.stores_once:
        assert found == once


async def _found_after_a_kill(server: Server, age_ms: int) -> dict[bytes, list[int]]:
    """Kill the server with batches on their way, start it again, and return what it holds by channel."""
    bus = server.bus()
    async with asyncio.timeout(_DEADLINE_S):
        assert await bus.send(numbered(0, 100, age_ms)) == []
        sent = [bus.send(numbered(first, 500, age_ms)) for first in range(100, 3_100, 500)]
        await sent[0]
        server.kill()
        sent += [bus.send(numbered(first, 500, age_ms)) for first in range(3_100, 4_100, 500)]
        await asyncio.to_thread(server.restart)
        assert await asyncio.gather(*sent) == [[]] * len(sent)
    await bus.close()
    return by_channel(await server.stored())


async def test_one_that_is_too_large_is_refused_with_the_reason(server: Server) -> None:
    """Those before and behind it are there."""
    small, large = [event("e1"), event("e3")], event("e2", size=5 * _MEBIBYTE)
    bus = server.bus()
    async with asyncio.timeout(_DEADLINE_S):
        refused = await _sent(bus, [small[0], large, small[1]])
    await bus.close()
    assert [record for record, _ in refused] == [large]
    assert "bytes" in refused[0][1] or "too large" in refused[0][1].lower()
    assert await server.stored() == small


async def _sent(bus: Bus, records: list[Outgoing]) -> list[tuple[Outgoing, str]]:
    return await bus.send(records)


async def test_an_id_that_is_sent_twice(server: Server) -> None:
    """JetStream stores it once; Kafka twice, where the job drops the repeat. The same id elsewhere is another event."""
    bus, again = server.bus(), server.bus()
    async with asyncio.timeout(_DEADLINE_S):
        for sending in (bus, again):
            assert await sending.send([event("e1"), event("e2"), event("e1", "hall")]) == []
    await bus.close()
    await again.close()
    found = Counter((record.key, SocialEvent.FromString(record.value).id) for record in await server.stored())
    times = 1 if server.stores_once else 2
    assert found == {(b"lobby", "e1"): times, (b"lobby", "e2"): times, (b"hall", "e1"): times}


async def test_close_waits_for_what_was_sent(server: Server) -> None:
    """Within the time given; afterwards all is there."""
    bus = server.bus()
    sent = bus.send(numbered(0, 3_000))
    await bus.close(_DEADLINE_S)
    assert sent.done()
    assert sent.result() == []
    assert by_channel(await server.stored()) == by_channel(numbered(0, 3_000))


async def test_close_does_not_wait_longer(server: Server) -> None:
    """With the server away it gives up; what it could not send is not told as sent."""
    bus = server.bus()
    async with asyncio.timeout(_DEADLINE_S):
        assert await bus.send(numbered(0, 10)) == []
        server.kill()
        sent = bus.send(numbered(10, 10))
        await bus.close(0.3)
    assert not sent.done() or sent.cancelled() or sent.result()
    await asyncio.to_thread(server.restart)
    assert by_channel(await server.stored()) == by_channel(numbered(0, 10))
