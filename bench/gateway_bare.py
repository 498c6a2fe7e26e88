"""The same events produced by a bare loop of the same client: what a websocket to Kafka is held against."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from echopulse.gateway.acknowledged_producer import SETTINGS
from echopulse.gateway.kafka_client import DELIVERY_TIMEOUT_S, BoundedProducer
from echopulse.job.topic_reader import Position, end_position, read_batches
from schemas.errors import EchoPulseError
from schemas.topics import EVENTS

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message


def values_of(bootstrap: str, wanted: int) -> list[tuple[bytes, bytes, int]]:
    """Return value, key and time of so many events in Kafka, in the order in which they are read."""
    found: list[tuple[bytes, bytes, int]] = []
    for messages in read_batches(bootstrap, Position(EVENTS, {}), end_position(bootstrap, EVENTS)):
        found += [(message.value() or b"", message.key() or b"", message.timestamp()[1]) for message in messages]
        if len(found) >= wanted:
            return found[:wanted]
    raise EchoPulseError(f"{len(found):,} of {wanted:,} events are in Kafka")


def bare_loop(bootstrap: str, values: list[tuple[bytes, bytes, int]], *, told_of_each: bool = True) -> float:
    """Produce them all and wait for the acknowledgements; return the seconds. Raises EchoPulseError where one fails."""
    acknowledged = 0

    def report(error: KafkaError | None, _message: Message) -> None:
        nonlocal acknowledged
        if error is not None:
            raise EchoPulseError(f"Kafka refused an event: {error.str()}")
        acknowledged += 1

    producer = BoundedProducer(bootstrap, report, SETTINGS | {"delivery.report.only.error": not told_of_each})
    producer.partitions(EVENTS)
    # An idempotent producer asks for its number when it first sends; that may take half a second.
    producer.produce_now(EVENTS, values[0][0], values[0][1], timestamp=values[0][2])
    producer.flush(DELIVERY_TIMEOUT_S)
    acknowledged = 0
    began = time.perf_counter()
    for value, key, time_ms in values:
        producer.produce_now(EVENTS, value, key, timestamp=time_ms)
    producer.flush(DELIVERY_TIMEOUT_S)
    took = time.perf_counter() - began
    producer.close()
    if told_of_each and acknowledged != len(values):
        raise EchoPulseError(f"{acknowledged:,} of {len(values):,} events were acknowledged")
    return took
