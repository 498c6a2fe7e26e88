"""What a span of the topics holds, read as a user reads it: committed records only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from echopulse.job.topic_reader import Position, end_position, read_batches
from schemas.avro import DeadLetter, decode_dead_letter
from schemas.topics import ANALYSIS, DLQ

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confluent_kafka import Message


def results(bootstrap: str, start: Mapping[str, Position]) -> list[Message]:
    """Return the records of `social.analysis` since `start`."""
    return _since(bootstrap, start[ANALYSIS])


def dead_letters(bootstrap: str, start: Mapping[str, Position]) -> dict[str, DeadLetter]:
    """Return the dead letters since `start` by their origin, each of which is there once."""
    letters = [decode_dead_letter(message.value() or b"") for message in _since(bootstrap, start[DLQ])]
    by_origin = {letter.origin: letter for letter in letters}
    assert len(by_origin) == len(letters)
    return by_origin


def _since(bootstrap: str, start: Position) -> list[Message]:
    stop = end_position(bootstrap, start.topic)
    return [message for batch in read_batches(bootstrap, start, stop) for message in batch]
