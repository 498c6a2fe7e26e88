"""Columns sent and counted, against librdkafka's own broker."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from echopulse.gateway.dead_letters import now_ms
from echopulse.gateway.kafka_client import CLIENT_LOG
from echopulse.gateway.librdkafka import TOO_LARGE
from echopulse.gateway.outgoing import Outgoing
from echopulse.gateway.reported_producer import Failure, ReportedProducer
from schemas.topics import DLQ, EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from echopulse.gateway.reported_producer import Columns
    from tests.echopulse.gateway.conftest import Record

_AWAY = "127.0.0.1:1"
_DEADLINE_S = 30
_PURGED = "Local: Purged in queue"


def _columns(keys: list[bytes], values: list[bytes], first_ms: int) -> Columns:
    """Return them as a slice of longer columns."""
    longer = (pa.array([b"before", *column, b"behind"], pa.binary()) for column in (keys, values))
    cut = [column.slice(1, len(keys)) for column in longer]
    return cut[0], cut[1], np.arange(first_ms, first_ms + len(keys))


def _until_over(producer: ReportedProducer, *slots: int) -> list[Failure]:
    """Take reports until these batches are over; return what failed."""
    deadline = time.monotonic() + _DEADLINE_S
    waited, failed = set(slots), list[Failure]()
    while waited:
        assert time.monotonic() < deadline
        reports = producer.reports()
        waited -= set(reports.over)
        failed += reports.failed
        time.sleep(0.01)
    return failed


def test_rows_and_records_of_many_batches(bootstrap: str, read_topic: Callable[[str, int], list[Record]]) -> None:
    """More than there were slots at first: each is over when all of it is there; keys, times, headers as given."""
    producer, now = ReportedProducer(bootstrap, {}), now_ms()
    slots = []
    for number in range(200):
        slot = producer.begin(3)
        keys, values = [b"k%d" % (number % 3), b""], [b"v%d" % number, b""]
        assert producer.send_rows(slot, EVENTS, _columns(keys, values, now), 0) == (2, 0)
        assert producer.send_one(slot, 2, Outgoing(DLQ, b"k", b"%d" % number, now, (("a", b"1"), ("b", b"")))) == 0
        slots.append(slot)
    assert len(set(slots)) == 200
    assert _until_over(producer, *slots) == []
    producer.close()
    read = read_topic(EVENTS, 400)
    assert {(r.key, r.value, r.ts_ms) for r in read} == {
        *((b"k%d" % (number % 3), b"v%d" % number, now) for number in range(200)),
        (b"", b"", now + 1),
    }
    letters = read_topic(DLQ, 200)
    assert sorted(int(letter.value) for letter in letters) == list(range(200))
    assert {(r.key, r.ts_ms, *r.headers.items()) for r in letters} == {(b"k", now, ("a", b"1"), ("b", b""))}


def test_from_a_place_on(bootstrap: str, read_topic: Callable[[str, int], list[Record]]) -> None:
    """One that is too large ends the call; the next one goes on behind it."""
    producer, now = ReportedProducer(bootstrap, {"message.max.bytes": 2_000}), now_ms()
    columns = _columns([b"k"] * 4, [b"a", b"x" * 3_000, b"b", b"y" * 3_000], now)
    slot = producer.begin(4)
    assert producer.send_rows(slot, EVENTS, columns, 0) == (1, TOO_LARGE)
    assert producer.send_rows(slot, EVENTS, columns, 2) == (3, TOO_LARGE)
    assert producer.send_rows(slot, EVENTS, columns, 4) == (4, 0)
    assert producer.send_one(slot, 0, Outgoing(EVENTS, b"k", b"x" * 3_000, now)) == TOO_LARGE
    assert not producer.settle(slot)
    assert not producer.settle(slot)
    assert producer.begin(1) != slot
    _until_over(producer, slot)
    producer.close()
    assert [(r.value, r.ts_ms - now) for r in read_topic(EVENTS, 2)] == [(b"a", 0), (b"b", 2)]


def test_a_batch_that_only_settles() -> None:
    """It is over with its last row, and its slot is the next one's."""
    producer = ReportedProducer(_AWAY, {})
    slot = producer.begin(2)
    assert not producer.settle(slot)
    assert producer.settle(slot)
    assert producer.begin(1) == slot
    producer.close()


def test_giving_up_names_every_row() -> None:
    """Of more rows than are told at once, each as the row of its batch that it is."""
    producer, now = ReportedProducer(_AWAY, {"message.timeout.ms": 0}), now_ms()
    one, two = producer.begin(1_000), producer.begin(1_001)
    producer.send_rows(one, EVENTS, _columns([b"k"] * 1_000, [b"v"] * 1_000, now), 0)
    producer.send_rows(two, EVENTS, _columns([b"k"] * 1_000, [b"v"] * 1_000, now), 0, 7)
    reports = producer.give_up()
    producer.close()
    assert reports.served == 2_000
    assert reports.over == [one]
    assert sorted(reports.failed) == sorted(
        Failure(slot, row, _PURGED) for slot, first in ((one, 0), (two, 7)) for row in range(first, first + 1_000)
    )


def test_what_the_client_says(caplog: pytest.LogCaptureFixture) -> None:
    """Its log is this project's, in which nobody hears it unless asked."""
    CLIENT_LOG.setLevel(logging.INFO)
    try:
        producer = ReportedProducer(_AWAY, {})
        deadline = time.monotonic() + _DEADLINE_S
        while not any("Connection refused" in line for line in caplog.messages):
            assert time.monotonic() < deadline
            producer.reports()
            time.sleep(0.01)
        producer.close()
    finally:
        CLIENT_LOG.setLevel(logging.CRITICAL)
    assert {(record.name, record.levelname) for record in caplog.records} == {("echopulse.kafka", "WARNING")}
