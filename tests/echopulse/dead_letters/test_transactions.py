"""Batches of a replay in transactions."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import KafkaError, KafkaException

from echopulse.dead_letters.history import read_history
from echopulse.dead_letters.mending import Mended
from echopulse.dead_letters.transactions import ReplayTransactions
from schemas.avro import LetterReplay
from schemas.errors import EchoPulseError
from tests.echopulse.dead_letters.letters import NOW_MS, event, letter, write_letters

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.echopulse.dead_letters.conftest import Replayed


def _noted(one: Mended, place: str) -> LetterReplay:
    return LetterReplay(str(one.letter.id), str(one.letter.id), 1, "sent", place, NOW_MS)


def _mended(name: str, offset: int) -> Mended:
    return Mended(letter(event(name), offset), "c:1", event(name), NOW_MS)


def test_events_and_notes_are_written_together(bootstrap: str, events_of: Callable[[str], list[Replayed]]) -> None:
    """Each note says where its event is; what is forgotten is gone."""
    write_letters(bootstrap)
    left_out = LetterReplay("social.dlq-0-9", "social.dlq-0-9", 1, "filtered", "", NOW_MS)
    with closing(ReplayTransactions(bootstrap)) as transactions:
        notes = transactions.write([_mended("a", 1), _mended("b", 2)], _noted, [left_out])
    assert notes[-1] == left_out
    assert all(note.destination.startswith("social.events/") for note in notes[:2])
    assert sorted(one.event_id for one in events_of(bootstrap)) == ["a", "b"]
    assert sorted(read_history(bootstrap).letters) == [note.letter for note in notes]
    with closing(ReplayTransactions(bootstrap)) as transactions:
        transactions.forget(["social.dlq-0-1"])


def test_no_broker_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within the time-out."""
    monkeypatch.setattr("echopulse.dead_letters.transactions._TIMEOUT_S", 0.5)
    with pytest.raises(EchoPulseError, match=r"no Kafka broker answers at 127\.0\.0\.1:1"):
        ReplayTransactions("127.0.0.1:1")


def test_what_fails_before_the_end_is_told_and_leaves_no_note(bootstrap: str) -> None:
    """The error of the caller is the one that comes out."""
    write_letters(bootstrap)

    def failing(one: Mended, place: str) -> LetterReplay:
        if place:
            raise EchoPulseError("in the middle")
        return _noted(one, place)

    with closing(ReplayTransactions(bootstrap)) as transactions:
        with pytest.raises(EchoPulseError, match="in the middle"):
            transactions.write([_mended("a", 1)], failing, [])
        assert len(transactions.write([_mended("a", 1)], _noted, [])) == 1
    assert read_history(bootstrap).letters == ["social.dlq-0-1"]


class _Overtaken:
    """A producer whose name another has taken, as librdkafka behaves: what it was given fails, here or on delivery."""

    def __init__(self, *, at_once: bool) -> None:
        self._at_once = at_once
        self.error = KafkaException(KafkaError(KafkaError._FENCED, "fenced", fatal=True))

    def begin_transaction(self) -> None:
        """Nothing is asked of the broker yet."""

    def produce(self, *_: object, **__: object) -> None:
        if self._at_once:
            raise self.error

    def poll(self, _: float) -> int:
        return 0

    def flush(self, _: float) -> int:
        """All was purged: nothing waits, and nothing arrived."""
        return 0

    def commit_transaction(self, _: float) -> None:
        raise self.error

    def abort_transaction(self, _: float) -> None:
        raise self.error

    def purge(self, *, blocking: bool) -> None:
        raise AssertionError(blocking)

    def close(self) -> None:
        raise self.error


@pytest.mark.parametrize("at_once", [True, False])
def test_one_that_was_overtaken_says_so(bootstrap: str, monkeypatch: pytest.MonkeyPatch, *, at_once: bool) -> None:
    """Whether its records are refused or just never arrive; and it can be closed."""
    told = "another replay has begun and taken this one's place (let that one finish)"
    transactions = ReplayTransactions(bootstrap)
    monkeypatch.setattr(transactions, "_producer", _Overtaken(at_once=at_once))
    with closing(transactions):
        with pytest.raises(EchoPulseError) as raised:
            transactions.write([_mended("a", 1)], _noted, [])
        assert str(raised.value) == told
        with pytest.raises(EchoPulseError) as raised:
            transactions.forget(["social.dlq-0-1"])
        assert str(raised.value) == told
