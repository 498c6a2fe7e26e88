"""Acknowledged sending, against librdkafka's own broker."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from echopulse.gateway.acknowledged_producer import AcknowledgedProducer
from echopulse.gateway.dead_letters import now_ms
from echopulse.gateway.outgoing import EventRows, Outgoing
from schemas.errors import EchoPulseError
from schemas.topics import EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.echopulse.gateway.conftest import Record


async def test_the_result_comes_when_all_is_there(
    bootstrap: str, read_topic: Callable[[str, int], list[Record]]
) -> None:
    """In order within a key, with headers and time; a batch of nothing is there at once."""
    producer, now = AcknowledgedProducer(bootstrap), now_ms()
    records = [
        Outgoing(EVENTS, f"c{number % 3}".encode(), str(number).encode(), now, (("h", b"x"),)) for number in range(300)
    ]
    try:
        async with asyncio.timeout(30):
            results = await asyncio.gather(
                producer.send(records[:200]), producer.send(records[200:]), producer.send([])
            )
    finally:
        await producer.close()
    assert not any(results)
    read = await asyncio.to_thread(read_topic, EVENTS, 300)
    for key in (b"c0", b"c1", b"c2"):
        numbers = [int(record.value) for record in read if record.key == key]
        assert numbers == sorted(numbers)
        assert len(numbers) == 100
    assert {(record.ts_ms, record.headers["h"]) for record in read} == {(now, b"x")}


async def test_one_that_is_too_large_is_refused(bootstrap: str, read_topic: Callable[[str, int], list[Record]]) -> None:
    """With its size; those around it are delivered, and `close` waits for them."""
    producer, now = AcknowledgedProducer(bootstrap), now_ms()
    small = [Outgoing(EVENTS, b"c", value, now) for value in (b"first", b"last")]
    large = Outgoing(EVENTS, b"c", b"x" * (5 << 20), now)
    sent = producer.send([small[0], large, small[1]])
    await producer.close(30)
    assert sent.done()
    ((record, reason),) = sent.result()
    assert record == large
    assert reason.startswith("5242881 bytes: ")
    read = await asyncio.to_thread(read_topic, EVENTS, 2)
    assert [found.value for found in read] == [b"first", b"last"]


async def test_rows_are_sent_by_columns(bootstrap: str, read_topic: Callable[[str, int], list[Record]]) -> None:
    """As records are: in order, with their times, all but the ones that are too large."""
    producer, now = AcknowledgedProducer(bootstrap), now_ms()
    values = [b"first", b"x" * (5 << 20), b"second", b"y" * (5 << 20), b"third"]
    rows = EventRows(pa.array([b"c"] * 5), pa.array(values), np.arange(now, now + 5), sum(map(len, values)) + 5)
    sent = producer.send(rows)
    await producer.close(30)
    assert [record.ts - now for record, _ in sent.result()] == [1, 3]
    read = await asyncio.to_thread(read_topic, EVENTS, 3)
    assert [(found.value, found.ts_ms - now) for found in read] == [(b"first", 0), (b"second", 2), (b"third", 4)]


async def test_nothing_is_sent_once_it_is_closed() -> None:
    """What waits is refused with the client's reason; closing again does nothing."""
    producer, now = AcknowledgedProducer("127.0.0.1:1"), now_ms()
    record = Outgoing(EVENTS, b"c", b"v", now)
    waiting = producer.send([record])
    await producer.close()
    await producer.close()
    assert waiting.result() == [(record, "Local: Purged in queue")]
    with pytest.raises(EchoPulseError) as error:
        producer.send([record])
    assert str(error.value) == "the producer for Kafka at 127.0.0.1:1 is closed"
