"""Events and the note that they were replayed, written to Kafka in one transaction: both are there, or neither."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from echopulse.gateway.kafka_client import no_broker
from schemas.avro import FINGERPRINT_HEADER, LetterReplay, encode_letter_replay, fingerprint
from schemas.errors import EchoPulseError
from schemas.topics import DLQ_REPLAYS, EVENTS, MAX_MESSAGE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from echopulse.dead_letters.mending import Mended

#: Headers of a replayed event: the letter that it first was, and how often it was replayed.
REPLAY_HEADER, ATTEMPT_HEADER = "replay-of", "replay-attempt"
#: One name for all: who opens it later ends what an earlier replay left open, and keeps that one from writing on.
_TRANSACTIONAL_ID = "echopulse-dlq-replay"
#: What a killed replay left open holds the job's partitions back for so long, and until the broker looks (10 s).
_TRANSACTION_S = 15
_TIMEOUT_S = 30.0
_COMMITS = 3
_FENCED = frozenset({KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError.PRODUCER_FENCED})  # noqa: SLF001 confluent-kafka's name for it

_LOG = logging.getLogger("echopulse.kafka")


class ReplayTransactions:
    """Writes batches of replayed events, each batch in a transaction of its own."""

    def __init__(self, bootstrap: str) -> None:
        """Take the name over and end what is open under it. Raises EchoPulseError where no broker answers."""
        self._bootstrap = bootstrap
        self._overtaken = False
        self._schema = (FINGERPRINT_HEADER, fingerprint("letter_replay").encode())
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "client.id": "echopulse-dlq-replay",
                "transactional.id": _TRANSACTIONAL_ID,
                "transaction.timeout.ms": _TRANSACTION_S * 1000,
                "acks": "all",
                "compression.type": "lz4",
                "linger.ms": 5,
                "message.max.bytes": MAX_MESSAGE_BYTES,
                "partitioner": "murmur2_random",
            },
            logger=_LOG,
        )
        try:
            self._producer.init_transactions(_TIMEOUT_S)
        except KafkaException as error:
            # Not closed: its close would wait for what cannot end without a broker.
            raise no_broker(bootstrap, error) from error

    def write(
        self, events: Sequence[Mended], noted: Callable[[Mended, str], LetterReplay], others: Sequence[LetterReplay]
    ) -> list[LetterReplay]:
        """Write events, and for each what `noted(event, topic/partition/offset)` says, and `others`; return the notes.

        All of it is committed when this returns. Raises EchoPulseError, and then nothing of it is.
        """
        try:
            self._producer.begin_transaction()
            places = self._send(events, noted)
            notes = [*(noted(event, place) for event, place in zip(events, places, strict=True)), *others]
            self._note(notes)
            self._commit()
        except KafkaException as error:
            self._abort()
            raise self._told(error.args[0]) from error
        except EchoPulseError as error:
            self._abort()
            # Records of a replay that was overtaken may just fail to arrive; only ending the transaction tells why.
            if self._overtaken:
                raise _taken_over() from error
            raise
        except BaseException:
            self._abort()
            raise
        return notes

    def forget(self, letters: Sequence[str]) -> None:
        """Take away what is noted of letters that their topic no longer keeps. Raises EchoPulseError."""
        try:
            self._producer.begin_transaction()
            for letter in letters:
                self._produce(DLQ_REPLAYS, None, letter)
            self._flush()
            self._commit()
        except KafkaException as error:
            self._abort()
            raise self._told(error.args[0]) from error
        except EchoPulseError as error:
            self._abort()
            if self._overtaken:
                raise _taken_over() from error
            raise

    def close(self) -> None:
        """Drop the connection; what is open is ended."""
        if self._overtaken:
            return  # nothing of it is open any more, and confluent-kafka's close would raise
        self._producer.purge(blocking=False)
        self._producer.close()

    def _send(self, events: Sequence[Mended], noted: Callable[[Mended, str], LetterReplay]) -> list[str]:
        """Write events with the time that they bear, and return where each one went."""
        places = [""] * len(events)

        def place_of(row: int) -> Callable[[KafkaError | None, Message], None]:
            def delivered(error: KafkaError | None, message: Message) -> None:
                if error is None:
                    places[row] = f"{EVENTS}/{message.partition()}/{message.offset()}"

            return delivered

        for row, event in enumerate(events):
            note = noted(event, "")
            headers = [(REPLAY_HEADER, note.first.encode()), (ATTEMPT_HEADER, str(note.attempt).encode())]
            self._produce(
                EVENTS, event.value, event.key, timestamp=event.ts_ms, headers=headers, on_delivery=place_of(row)
            )
        self._flush()
        if "" in places:
            raise EchoPulseError(
                f"Kafka at {self._bootstrap} did not take {places.count('')} events of a replay; none of its batch "
                "was replayed"
            )
        return places

    def _note(self, notes: Sequence[LetterReplay]) -> None:
        for note in notes:
            self._produce(DLQ_REPLAYS, encode_letter_replay(note), note.letter, headers=[self._schema])
        self._flush()

    def _produce(self, topic: str, value: bytes | None, key: str, **options: Any) -> None:  # noqa: ANN401 confluent-kafka's
        """Queue one record; the queue holds far more than a batch."""
        self._producer.produce(topic, value, key, **options)
        self._producer.poll(0)

    def _flush(self) -> None:
        waiting = self._producer.flush(_TIMEOUT_S)
        if waiting:
            raise EchoPulseError(
                f"Kafka at {self._bootstrap} does not take the {waiting} records of a replay", "see `echopulse status`"
            )

    def _commit(self) -> None:
        for left in reversed(range(_COMMITS)):
            try:
                self._producer.commit_transaction(_TIMEOUT_S)
            except KafkaException as error:
                if not left or not error.args[0].retriable():
                    raise
            else:
                return

    def _abort(self) -> None:
        try:
            self._producer.abort_transaction(_TIMEOUT_S)
        except KafkaException as error:
            # Where even this fails, the broker ends the transaction by its time-out, or the next replay does.
            self._overtaken = self._overtaken or error.args[0].code() in _FENCED

    def _told(self, error: KafkaError) -> EchoPulseError:
        self._overtaken = self._overtaken or error.code() in _FENCED
        if self._overtaken:
            return _taken_over()
        return EchoPulseError(f"Kafka at {self._bootstrap} did not take a batch of a replay: {error.str()}")


def _taken_over() -> EchoPulseError:
    return EchoPulseError("another replay has begun and taken this one's place", "let that one finish")
