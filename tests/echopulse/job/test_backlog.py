"""What an earlier run left unread, told before it is passed over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import Producer

from echopulse.gateway.producer import EventProducer
from echopulse.job import backlog
from echopulse.job.backlog import pass_over, unread_events
from echopulse.job.group_offsets import commit, committed
from echopulse.job.topic_reader import Position, end_position, is_heartbeat, read_batches
from schemas.errors import EchoPulseError
from schemas.topics import EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

SAID = "passing over for good what an earlier run left unread: "
HINT = "; `up` started once before a replay has them analysed"


def test_events_are_counted_and_heartbeats_are_not(bootstrap: str, write_topic: Callable[..., None]) -> None:
    """From where the group has come to; afterwards it has nothing left to pass over."""
    write_topic(EVENTS, [b"read", b"unread"])
    with EventProducer(bootstrap) as producer:
        producer.heartbeat(1_700_000_000_000)
    commit(bootstrap, "signals", Position(EVENTS, {0: 1}))
    end = end_position(bootstrap, EVENTS)
    assert sum(end.offsets.values()) > 3
    assert pass_over(bootstrap, "signals") == f"{SAID}1 event{HINT}"
    assert committed(bootstrap, "signals", end) == end
    assert pass_over(bootstrap, "signals") == ""
    write_topic(EVENTS, [b"e"] * 1_234, partition=1)
    assert pass_over(bootstrap, "signals") == f"{SAID}1,234 events{HINT}"


def test_a_group_that_never_read_leaves_all(bootstrap: str, write_topic: Callable[..., None]) -> None:
    """It would have begun with the oldest record."""
    write_topic(EVENTS, [b"a", b"b"])
    assert pass_over(bootstrap, "signals") == f"{SAID}2 events{HINT}"


def test_counting_has_a_limit(
    bootstrap: str, write_topic: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was counted until then is a lower bound, and said so."""
    write_topic(EVENTS, [b"a", b"b"])
    end = end_position(bootstrap, EVENTS)
    count, whole = unread_events(bootstrap, Position(EVENTS, {}), end, limit_s=-1.0)
    assert 1 <= count <= 2
    assert not whole
    monkeypatch.setattr(backlog, "_COUNTING_S", -1.0)
    assert pass_over(bootstrap, "signals").startswith(f"{SAID}more than {count} event")


def test_what_cannot_be_counted_is_passed_over_all_the_same(
    bootstrap: str, write_topic: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No run fails for a number."""
    write_topic(EVENTS, [b"a"])
    monkeypatch.setattr(backlog, "committed", _refuses)
    assert pass_over(bootstrap, "signals") == f"{SAID}how many events is not known, no coordinator{HINT}"
    end = end_position(bootstrap, EVENTS)
    assert committed(bootstrap, "signals", end) == end


def test_a_topic_without_a_record_asks_no_coordinator(bootstrap: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new broker's would have to be waited for."""
    Producer({"bootstrap.servers": bootstrap, "log_level": 0}).list_topics(EVENTS, timeout=30)
    monkeypatch.setattr(backlog, "committed", _refuses)
    assert pass_over(bootstrap, "signals") == ""


def test_a_heartbeat_is_told_by_its_header(bootstrap: str, write_topic: Callable[..., None]) -> None:
    """Whatever its bytes are."""
    write_topic(EVENTS, [b"an event"])
    with EventProducer(bootstrap) as producer:
        producer.heartbeat(1_700_000_000_000)
    end = end_position(bootstrap, EVENTS)
    found = [m for batch in read_batches(bootstrap, Position(EVENTS, {}), end) for m in batch]
    assert [is_heartbeat(m) for m in found].count(False) == 1
    assert all(is_heartbeat(m) == (m.value() != b"an event") for m in found)


def _refuses(*_: object) -> Position:
    raise EchoPulseError("no coordinator")
