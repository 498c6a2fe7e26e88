"""A Kafka topic read from one set of offsets to another, committed records only."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from echopulse.gateway.kafka_client import no_broker
from echopulse.job.starting_broker import answered
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TIMEOUT_S = 10.0
_BATCH = 10_000
_NO_GROUP = "echopulse-reader"
#: Only heartbeats carry it.
_HEARTBEAT_HEADER = "kind"


@dataclass(frozen=True)
class Position:
    """Offsets of a topic, one a partition: the next record that will be written there."""

    topic: str
    offsets: Mapping[int, int]


def consumer(bootstrap: str, *, committed: bool = True, group: str = _NO_GROUP) -> Consumer:
    """Return a consumer that leaves its group's progress alone; with `committed` it sees no open transactions."""
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed" if committed else "read_uncommitted",
            "enable.partition.eof": False,
            "fetch.max.bytes": 64 * 1024 * 1024,
            "queued.max.messages.kbytes": 65_536,
            "socket.timeout.ms": int(_TIMEOUT_S * 1000),
            # Of a broker that is away each call tells; the library would, too, twenty times a second.
            "log_level": 2,
        }
    )


def end_position(bootstrap: str, topic: str, *, committed: bool = True) -> Position:
    """Return where the topic ends now; with `committed`, where its last finished transaction ends.

    Raises EchoPulseError where the broker does not answer or the topic is missing.
    """
    reader = consumer(bootstrap, committed=committed)
    try:
        partitions = reader.list_topics(topic, timeout=_TIMEOUT_S).topics[topic].partitions
        if not partitions:
            raise EchoPulseError(f"topic {topic} does not exist on {bootstrap}", "`echopulse up` creates it")
        ends = {
            partition: answered(partial(reader.get_watermark_offsets, TopicPartition(topic, partition), _TIMEOUT_S))[1]
            for partition in sorted(partitions)
        }
    except KafkaException as error:
        raise no_broker(bootstrap, error) from error
    finally:
        reader.close()
    return Position(topic, ends)


def is_heartbeat(message: Message) -> bool:
    """Return whether a record of `social.events` is a heartbeat, which only moves the watermark."""
    return _HEARTBEAT_HEADER in dict(message.headers() or {})


def read_batches(bootstrap: str, start: Position, stop: Position, timeout_s: float = 60.0) -> Iterator[list[Message]]:
    """Yield the committed records between two positions of one topic, in batches of up to 10,000.

    Raises EchoPulseError when nothing comes for `timeout_s` before the end is reached.
    """
    open_partitions = {p: end for p, end in stop.offsets.items() if start.offsets.get(p, 0) < end}
    if not open_partitions:
        return
    reader = consumer(bootstrap)
    try:
        reader.assign([TopicPartition(start.topic, p, start.offsets.get(p, 0)) for p in open_partitions])
        deadline = time.monotonic() + timeout_s
        while open_partitions:
            messages = reader.consume(_BATCH, timeout=0.5)
            if messages:
                deadline = time.monotonic() + timeout_s
                yield [message for message in messages if _before_end(message, stop)]
            # A transaction's markers take offsets too, so the reader's own position tells the end, not the last record.
            for reached in reader.position([TopicPartition(start.topic, p) for p in open_partitions]):
                if reached.offset >= open_partitions[reached.partition]:
                    del open_partitions[reached.partition]
            if open_partitions and time.monotonic() > deadline:
                raise EchoPulseError(
                    f"no record of {start.topic} for {timeout_s:.0f} s before its end", f"Kafka: {bootstrap}"
                )
    finally:
        reader.close()


def _before_end(message: Message, stop: Position) -> bool:
    partition, offset = message.partition(), message.offset()
    if message.error() is not None or partition is None or offset is None:
        raise EchoPulseError(f"reading {stop.topic} failed: {message.error()}", "see `echopulse status`")
    return offset < stop.offsets[partition]
