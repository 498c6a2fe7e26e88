"""Events and heartbeats on their topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from echopulse.gateway.dead_letters import now_ms
from echopulse.gateway.producer import EventProducer, _slices
from schemas.arrow import EVENT
from schemas.avro import decode_dead_letter
from schemas.codec import encode_events
from schemas.social_event_pb2 import SocialEvent
from schemas.topics import DLQ, EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.echopulse.gateway.conftest import Record


def _events(*rows: tuple[str, int | None, str, bytes]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(
        [
            {
                "id": name,
                "ts": ts,
                "source": "sim",
                "channel_id": channel,
                "user_id": "u",
                "raw_payload": raw,
                "metadata": [("kind", "record")],
            }
            for name, ts, channel, raw in rows
        ],
        schema=EVENT,
    )


def test_events_come_keyed_and_at_their_own_time(
    bootstrap: str, read_topic: Callable[[str, int], list[Record]]
) -> None:
    """Value is the SocialEvent, key its channel, record timestamp its ts; a slice of a batch is no trouble."""
    now = now_ms()
    batch = _events(*((f"e{row}", now - row, f"c{row % 7}", b'{"text":"\xc3\xa9"}') for row in range(500)))
    with EventProducer(bootstrap) as producer:
        producer.send(batch.slice(0, 100))
        producer.send(batch.slice(100))
        producer.send(batch.slice(0, 0))
        producer.flush()
        assert (producer.delivered, producer.failed) == (500, 0)
    records = read_topic(EVENTS, 500)
    read = {SocialEvent.FromString(record.value).id: record for record in records}
    assert len(read) == 500
    for row in range(500):
        record = read[f"e{row}"]
        event = SocialEvent.FromString(record.value)
        assert record.ts_ms == event.ts.ToMilliseconds() == now - row
        assert record.key.decode() == event.channel_id == f"c{row % 7}"
        assert dict(event.metadata) == {"kind": "record"}
    partitions = {(record.key, record.partition) for record in records}
    assert len(partitions) == 7


def test_the_partition_of_a_key_is_that_of_the_java_client(
    bootstrap: str, read_topic: Callable[[str, int], list[Record]]
) -> None:
    """murmur2 & 0x7fffffff modulo the partitions: values computed by Kafka's Utils.murmur2 for its own test keys."""
    known = {"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536}
    with EventProducer(bootstrap) as producer:
        producer.send(_events(*((key, now_ms(), key, b"") for key in known)))
    for record in read_topic(EVENTS, len(known)):
        assert record.partition == (known[record.key.decode()] & 0x7FFFFFFF) % 4


def test_what_the_topic_cannot_take_is_a_dead_letter(
    bootstrap: str, read_topic: Callable[[str, int], list[Record]]
) -> None:
    """Wrong times and a record beyond the limit do not take their neighbours along."""
    now = now_ms()
    rows = [("good", now, "c", b"x"), ("old", 0, "c", b"x"), ("new", 2 * now, "c", b"x"), ("none", None, "c", b"x")]
    with EventProducer(bootstrap) as producer:
        producer.send(_events(*rows, ("big", now, "c", bytes(5 << 20)), ("large", now, "c", bytes(1 << 20))))
        producer.flush()
        assert (producer.delivered, producer.failed) == (2, 4)
    assert {SocialEvent.FromString(record.value).id for record in read_topic(EVENTS, 2)} == {"good", "large"}
    letters = [decode_dead_letter(record.value) for record in read_topic(DLQ, 5)]
    assert {letter.event_id: letter.stage for letter in letters} == {
        "old": "time",
        "new": "time",
        "none": "time",
        "big": "produce",
    }
    assert {letter.origin for letter in letters} == {EVENTS}
    big = b"".join(letter.original for letter in letters if letter.event_id == "big")
    assert SocialEvent.FromString(big).raw_payload == bytes(5 << 20)
    assert next(letter.reason for letter in letters if letter.event_id == "none") == "ts is missing"


def test_a_heartbeat_stands_on_every_partition_behind_the_events(
    bootstrap: str, read_topic: Callable[[str, int], list[Record]]
) -> None:
    """It is marked in header and metadata, and is not counted as an event."""
    now = now_ms()
    with EventProducer(bootstrap) as producer:
        producer.send(_events(*((str(row), now, str(row), b"") for row in range(40))))
        producer.heartbeat(now + 9)
        assert producer.delivered == 40
    last = {record.partition: record for record in read_topic(EVENTS, 44)}
    assert sorted(last) == [0, 1, 2, 3]
    for partition, record in last.items():
        event = SocialEvent.FromString(record.value)
        assert event.id == f"heartbeat-{partition}-{now + 9}"
        assert dict(event.metadata) == {"kind": "heartbeat"}
        assert record.headers == {"kind": b"heartbeat"}
        assert record.ts_ms == event.ts.ToMilliseconds() == now + 9


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=9), max_size=12), st.integers(0, 12), st.integers(0, 12))
def test_slices_are_the_values(values: list[bytes], start: int, length: int) -> None:
    """Of a whole array and of a part of one."""
    array = pa.array(values, pa.binary()).slice(min(start, len(values)), length)
    assert list(_slices(array)) == array.to_pylist()


def test_an_empty_batch_encodes_to_nothing() -> None:
    """And has no slices."""
    assert list(_slices(encode_events(_events()))) == []
