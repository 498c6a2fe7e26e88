"""A reader of what was written to the test's own broker."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import pytest
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from echopulse.gateway.kafka_client import BoundedProducer

if TYPE_CHECKING:
    from collections.abc import Callable

_DEADLINE_S = 30


class Record(NamedTuple):
    """What one message on a topic holds."""

    key: bytes
    value: bytes
    ts_ms: int
    partition: int
    headers: dict[str, str | bytes | None]


def _record(message: Message) -> Record:
    partition = message.partition()
    assert partition is not None
    headers = dict(message.headers() or {})
    return Record(message.key() or b"", message.value() or b"", message.timestamp()[1], partition, headers)


@pytest.fixture
def read_topic(bootstrap: str) -> Callable[[str, int], list[Record]]:
    """Return a function that reads the first `count` messages of a topic, in the order of each partition."""

    def read(topic: str, count: int) -> list[Record]:
        partitions = BoundedProducer(bootstrap, lambda _error, _message: None).partitions(topic)
        consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "test", "log_level": 0})
        consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        records: list[Record] = []
        deadline = time.monotonic() + _DEADLINE_S
        while len(records) < count and time.monotonic() < deadline:
            for message in consumer.consume(count - len(records), timeout=0.2):
                if message.error():
                    raise KafkaException(message.error())
                records.append(_record(message))
        consumer.close()
        assert len(records) == count
        return records

    return read
