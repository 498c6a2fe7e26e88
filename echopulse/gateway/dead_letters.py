"""Dead letters on their way to `social.dlq`, as Avro."""

from __future__ import annotations

import time
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from echopulse.gateway.kafka_client import DELIVERY_TIMEOUT_S, HASTY_FLUSH_S, BoundedProducer
from schemas.avro import FINGERPRINT_HEADER, DeadLetter, encode_dead_letters, fingerprint
from schemas.errors import EchoPulseError
from schemas.topics import DLQ, EVENTS, MAX_MESSAGE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from confluent_kafka import KafkaError, Message

    from echopulse.gateway.original_form import OriginalForm

#: Room in a message beside the original: reason, origin, id, headers and the broker's own framing.
_BESIDE_BYTES = 64 * 1024
PART_BYTES = MAX_MESSAGE_BYTES - 2 * _BESIDE_BYTES
#: Headers `part` (from 1) and `parts` of an original that needs more than one message.
PART_HEADER, PARTS_HEADER = "part", "parts"
_SHOWN_REASON = 4096


class DeadLetterProducer:
    """Writes dead letters: key = origin, record timestamp = the letter's own, header `schema` = the fingerprint.

    An original that exceeds a message of the topic is kept whole all the same: it is cut into letters of PART_BYTES
    that share key and fields, in order, with the headers `part` and `parts`. `sent` counts letters, not parts.
    Letters of rows and frames say in headers how their originals are read (OriginalForm), so that they can be replayed.
    """

    def __init__(self, bootstrap: str, form: OriginalForm | None = None) -> None:
        """Set the client up; it connects by itself. `form` is that of all letters for which `send` says no other."""
        self._form = form
        self._producer = BoundedProducer(bootstrap, self._failure)
        self._failed: list[str] = []
        self.sent = 0

    def send(self, letters: Iterable[DeadLetter], form: OriginalForm | None = None) -> None:
        """Queue letters, waiting where the queue is full. Raises EchoPulseError where Kafka takes none."""
        known = form or self._form
        for letter in letters:
            for datum, headers in letter_messages(letter, known):
                self._producer.produce(DLQ, datum, letter.origin, timestamp=letter.ts, headers=headers)
            self.sent += 1
        self._producer.poll()

    def flush(self, timeout_s: float = DELIVERY_TIMEOUT_S + 10) -> None:
        """Wait for delivery. Raises EchoPulseError where a letter was not delivered: nothing may be lost silently."""
        self._producer.flush(timeout_s)
        if self._failed:
            failed, self._failed = self._failed, []
            raise EchoPulseError(
                f"{len(failed)} dead letters were not written to {DLQ} at {self._producer.bootstrap}: {failed[0]}"
            )

    def close(self, timeout_s: float = DELIVERY_TIMEOUT_S + 10) -> None:
        """Flush and drop the connection."""
        try:
            self.flush(timeout_s)
        finally:
            self._producer.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Close; after an error without long waiting, and without hiding it behind another one."""
        with suppress(EchoPulseError) if kind else nullcontext():
            self.close(HASTY_FLUSH_S if kind else DELIVERY_TIMEOUT_S + 10)

    def _failure(self, error: KafkaError, message: Message) -> None:
        self._failed.append(f"{(message.key() or b'').decode(errors='replace')}: {error.str()}")


def now_ms() -> int:
    """Return the time in ms UTC, as a dead letter records when it was written."""
    return time.time_ns() // 1_000_000


def letter_messages(letter: DeadLetter, form: OriginalForm | None) -> Iterator[tuple[bytes, list[tuple[str, bytes]]]]:
    """Yield the messages of a letter with their headers: one, or as many parts as its original needs."""
    schema = (FINGERPRINT_HEADER, fingerprint("dead_letter").encode())
    # A SocialEvent is read by its own schema, whatever came before it.
    described = [schema, *(form.headers() if form and letter.origin != EVENTS else [])]
    parts = list(_parts(replace(letter, reason=letter.reason[:_SHOWN_REASON])))
    for part, datum in enumerate(encode_dead_letters(parts), 1):
        numbered = [(PART_HEADER, str(part).encode()), (PARTS_HEADER, str(len(parts)).encode())]
        yield datum, [*described, *(numbered if len(parts) > 1 else [])]


def _parts(letter: DeadLetter) -> Iterator[DeadLetter]:
    size = len(letter.original)
    if size <= PART_BYTES:
        yield letter
        return
    for start in range(0, size, PART_BYTES):
        yield replace(letter, original=letter.original[start : start + PART_BYTES])
