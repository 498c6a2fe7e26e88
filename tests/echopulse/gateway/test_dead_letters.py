"""Dead letters on their topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.gateway import dead_letters, kafka_client
from echopulse.gateway.dead_letters import PART_BYTES, DeadLetterProducer, now_ms
from schemas.avro import DeadLetter, decode_dead_letter, fingerprint
from schemas.errors import EchoPulseError
from schemas.topics import DLQ

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.echopulse.gateway.conftest import Record


def _letter(original: bytes, reason: str = "why") -> DeadLetter:
    return DeadLetter("parse", reason, "f.jsonl:7", "id", now_ms(), original)


def test_a_letter_is_read_back_with_key_time_and_fingerprint(
    bootstrap: str, read_topic: Callable[[str, int], list[Record]]
) -> None:
    """Avro, keyed by origin."""
    letter = _letter(b"\x00\xff")
    with DeadLetterProducer(bootstrap) as letters:
        letters.send([letter])
    assert letters.sent == 1
    (record,) = read_topic(DLQ, 1)
    assert decode_dead_letter(record.value) == letter
    assert record.key == b"f.jsonl:7"
    assert record.ts_ms == letter.ts
    assert record.headers == {"schema": fingerprint("dead_letter").encode()}


def test_an_original_beyond_a_message_comes_whole_in_parts(
    bootstrap: str, read_topic: Callable[[str, int], list[Record]]
) -> None:
    """In order, with the same key, and it counts once."""
    original = bytes(range(256)) * (9 * PART_BYTES // 1024)
    with DeadLetterProducer(bootstrap) as letters:
        letters.send([_letter(original, reason="r" * 100_000)])
    assert letters.sent == 1
    records = read_topic(DLQ, 3)
    assert [record.headers["part"] for record in records] == [b"1", b"2", b"3"]
    assert {record.headers["parts"] for record in records} == {b"3"}
    assert b"".join(decode_dead_letter(record.value).original for record in records) == original


def test_an_error_is_not_hidden_by_letters_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first error is the one that is told."""
    monkeypatch.setattr(dead_letters, "HASTY_FLUSH_S", 0.1)
    letters = DeadLetterProducer("127.0.0.1:1")
    letters.send([_letter(b"x")])
    with pytest.raises(EchoPulseError, match="the first"), letters:
        raise EchoPulseError("the first")


def test_letters_that_cannot_be_written_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost silently."""
    monkeypatch.setattr(kafka_client, "DELIVERY_TIMEOUT_S", 1)
    letters = DeadLetterProducer("127.0.0.1:1")
    letters.send([_letter(b"x")])
    with pytest.raises(
        EchoPulseError, match=r"1 dead letters were not written to social\.dlq at 127\.0\.0\.1:1: f\.jsonl:7"
    ):
        letters.flush(30)
    letters.close()
