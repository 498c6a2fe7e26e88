"""Letters read from their topic; from a time on only a real broker tells, see tests/system/test_dlq.py."""

from __future__ import annotations

import pytest
from confluent_kafka import Producer

from echopulse.dead_letters.letter import Letter, LetterId
from echopulse.dead_letters.reading import first_offsets, read_letter, read_letters, span
from echopulse.gateway.dead_letters import PART_BYTES, DeadLetterProducer
from echopulse.gateway.original_form import OriginalForm
from echopulse.job import topic_reader
from schemas.errors import EchoPulseError
from schemas.topics import DLQ
from tests.echopulse.dead_letters.letters import content, event, write_letters


def _all(bootstrap: str) -> list[Letter]:
    return [letter for batch in read_letters(bootstrap, *span(bootstrap, None)) for letter in batch]


def test_letters_come_with_id_and_form(bootstrap: str) -> None:
    """A letter of the producer itself holds a SocialEvent, whatever else it writes."""
    form = OriginalForm("object", "id=message", shift_ms=7)
    row, refused = content(b"{", origin="f.jsonl:3"), content(event("e"), origin="social.events")
    with DeadLetterProducer(bootstrap, OriginalForm("frame", "bluesky")) as letters:
        letters.send([row], form)
        letters.send([refused])
        letters.send([content(b"[]", origin="bluesky:1")])
    found = {each.content.origin: each for each in _all(bootstrap)}
    assert (found["f.jsonl:3"].content, found["f.jsonl:3"].form) == (row, form)
    assert found["social.events"].form is None
    assert found["social.events"].is_event
    assert found["bluesky:1"].form == OriginalForm("frame", "bluesky")
    for each in found.values():
        assert read_letter(bootstrap, each.id) == each
    assert set(first_offsets(bootstrap).values()) == {0}


def test_an_original_in_parts_is_put_together(bootstrap: str) -> None:
    """One letter, whose id is that of its first part; its neighbours are unharmed."""
    large = content(bytes(range(256)) * (9 * PART_BYTES // 1024), origin="f:2")
    with DeadLetterProducer(bootstrap) as letters:
        letters.send([content(b"a", origin="f:2"), large, content(b"b", origin="f:2")])
    found = _all(bootstrap)
    assert [each.content.original for each in found] == [b"a", large.original, b"b"]
    partition = found[0].id.partition
    assert [each.id.offset for each in found] == [0, 1, 4]
    assert read_letter(bootstrap, LetterId(partition, 1)).content == large
    start, stop = span(bootstrap, None)
    cut = type(start)(DLQ, {**start.offsets, partition: 2})
    assert [each.content.original for batch in read_letters(bootstrap, cut, stop) for each in batch] == [b"b"]


@pytest.mark.parametrize("value", [b"", b"\xff" * 40, b"\x08time", None])
def test_a_record_that_is_no_letter_is_shown_as_what_it_is(bootstrap: str, value: bytes | None) -> None:
    """With its bytes, and the others are read."""
    write_letters(bootstrap, content(b"a"))
    producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0})
    producer.produce(DLQ, value, "social.events/0/7", timestamp=5)
    assert producer.flush(30) == 0
    write_letters(bootstrap, content(b"b"))
    first, other, second = _all(bootstrap)
    assert (first.content.original, second.content.original) == (b"a", b"b")
    assert (other.content.stage, other.content.original, other.content.ts) == ("unreadable", value or b"", 5)
    assert other.content.reason.startswith("the record is no dead letter: ")


def test_a_letter_that_is_not_there_is_told(bootstrap: str) -> None:
    """By its id."""
    write_letters(bootstrap, content(b"a"))
    with pytest.raises(EchoPulseError) as raised:
        read_letter(bootstrap, LetterId(0, 99))
    assert (
        str(raised.value) == f"no dead letter social.dlq-0-99 at {bootstrap} (`echopulse dlq ls` has those there are)"
    )


def test_no_broker_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line."""
    monkeypatch.setattr(topic_reader, "_TIMEOUT_S", 1)
    with pytest.raises(EchoPulseError, match=r"no Kafka broker answers at 127\.0\.0\.1:1"):
        span("127.0.0.1:1", None)
