"""Dead letters read from their topic, from a time on or one by its id, originals in parts put together."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException, TopicPartition

from echopulse.dead_letters.letter import NO_LETTER, Letter, LetterId
from echopulse.gateway.dead_letters import PART_HEADER, PARTS_HEADER
from echopulse.gateway.kafka_client import no_broker
from echopulse.gateway.original_form import OriginalForm, header_values
from echopulse.job.topic_reader import Position, consumer, end_position, read_batches
from schemas.avro import DeadLetter, decode_dead_letter
from schemas.errors import EchoPulseError
from schemas.topics import DLQ

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confluent_kafka import Message

_TIMEOUT_S = 10.0
#: A letter in parts is put together out of so many records behind its first one, others' letters among them.
_SEARCHED_FOR_PARTS = 1_000
#: What a broken Avro datum raises in fastavro, among them its own ends of a buffer.
_BROKEN = (EOFError, IndexError, KeyError, OverflowError, TypeError, UnicodeDecodeError, ValueError)


def span(bootstrap: str, since_ms: int | None) -> tuple[Position, Position]:
    """Return where the letters written since a time (ms UTC; None: all that are kept) begin, and where they end now.

    Raises EchoPulseError where the broker does not answer or the topic is missing.
    """
    end = end_position(bootstrap, DLQ)
    with closing(consumer(bootstrap)) as reader:
        try:
            if since_ms is None:
                return Position(DLQ, _lows(reader, end)), end
            asked = [TopicPartition(DLQ, partition, max(since_ms, 0)) for partition in end.offsets]
            found = {each.partition: each.offset for each in reader.offsets_for_times(asked, timeout=_TIMEOUT_S)}
        except KafkaException as error:
            raise no_broker(bootstrap, error) from error
    # A negative offset says that nothing there is as new.
    begin = {partition: found[partition] if found[partition] >= 0 else last for partition, last in end.offsets.items()}
    return Position(DLQ, begin), end


def first_offsets(bootstrap: str) -> dict[int, int]:
    """Return the first offset that each partition still keeps. Raises EchoPulseError as `span` does."""
    return dict(span(bootstrap, None)[0].offsets)


def read_letters(bootstrap: str, start: Position, stop: Position) -> Iterator[list[Letter]]:
    """Yield the letters between two positions, in batches; one whose first part lies before `start` is left out."""
    joined = _Joined()
    for batch in read_batches(bootstrap, start, stop):
        letters = [letter for message in batch for letter in joined.add(message)]
        if letters:
            yield letters


def read_letter(bootstrap: str, wanted: LetterId) -> Letter:
    """Return one letter. Raises EchoPulseError where there is none of this id, or not any more."""
    begin, end = span(bootstrap, None)
    first, last = begin.offsets.get(wanted.partition, 0), end.offsets.get(wanted.partition, 0)
    if first <= wanted.offset < last:
        start = Position(DLQ, {**end.offsets, wanted.partition: wanted.offset})
        stop = Position(DLQ, {**end.offsets, wanted.partition: min(last, wanted.offset + _SEARCHED_FOR_PARTS)})
        for letters in read_letters(bootstrap, start, stop):
            for letter in letters:
                if letter.id == wanted:
                    return letter
    gone = (
        "it is older than what the topic keeps" if wanted.offset < first else "`echopulse dlq ls` has those there are"
    )
    raise EchoPulseError(f"no dead letter {wanted} at {bootstrap}", gone)


class _Joined:
    """Puts the parts of large originals together; they come in order, with letters of other writers between them."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, bytes], list[Letter]] = {}

    def add(self, message: Message) -> list[Letter]:
        """Take a record and return the letters that are complete with it, one or none."""
        headers = header_values(message.headers())
        letter = _letter(message, headers)
        parts = _number(headers, PARTS_HEADER)
        if parts <= 1:
            return [letter]
        key, part = (letter.id.partition, message.key() or b""), _number(headers, PART_HEADER)
        if part == 1:
            self._open[key] = []
        found = self._open.get(key, [])
        if len(found) != part - 1:
            return []
        found.append(letter)
        if part < parts:
            return []
        del self._open[key]
        whole = b"".join(each.content.original for each in found)
        return [replace(found[0], content=replace(found[0].content, original=whole))]


def _letter(message: Message, headers: dict[str, bytes]) -> Letter:
    partition, offset = message.partition(), message.offset()
    if partition is None or offset is None:
        raise EchoPulseError(f"a record of {DLQ} has no offset", "see `echopulse status`")
    letter_id, value = LetterId(partition, offset), message.value() or b""
    try:
        return Letter(letter_id, decode_dead_letter(value), OriginalForm.of(headers))
    except _BROKEN as error:
        # Not ours, or damaged: shown as what it is, and in nobody's way.
        reason = f"the record is no dead letter: {type(error).__name__}: {error}"
        return Letter(letter_id, DeadLetter(NO_LETTER, reason, "", "", message.timestamp()[1], value))


def _number(headers: dict[str, bytes], name: str) -> int:
    value = headers.get(name, b"")
    return int(value) if value.isdigit() else 1


def _lows(reader: object, end: Position) -> dict[int, int]:
    return {
        partition: reader.get_watermark_offsets(TopicPartition(DLQ, partition), timeout=_TIMEOUT_S)[0]  # type: ignore[attr-defined] # confluent-kafka's
        for partition in end.offsets
    }
