"""A topic read between two positions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.job.topic_reader import Position, end_position, read_batches
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable


def _values(bootstrap: str, start: Position, stop: Position) -> list[bytes]:
    return sorted(m.value() or b"" for batch in read_batches(bootstrap, start, stop, timeout_s=10) for m in batch)


def test_what_lies_between_is_read_and_nothing_else(bootstrap: str, write_topic: Callable[..., None]) -> None:
    """Neither what was there before nor what came after the end was taken."""
    write_topic("t", [b"before"])
    start = end_position(bootstrap, "t")
    write_topic("t", [b"a", b"b"])
    write_topic("t", [b"c"], partition=2)
    stop = end_position(bootstrap, "t")
    write_topic("t", [b"after"])
    assert _values(bootstrap, start, stop) == [b"a", b"b", b"c"]
    assert stop.offsets[0] - start.offsets[0] == 2


def test_a_partition_that_is_new_is_read_from_its_beginning(bootstrap: str, write_topic: Callable[..., None]) -> None:
    """A position that does not know a partition was taken before it was there."""
    write_topic("t", [b"a"], partition=1)
    assert _values(bootstrap, Position("t", {}), end_position(bootstrap, "t")) == [b"a"]


def test_an_empty_span_asks_nobody() -> None:
    """No broker is needed where there is nothing to read."""
    here = Position("t", {0: 5, 1: 0})
    assert list(read_batches("127.0.0.1:1", here, here)) == []


def test_an_end_that_does_not_come_is_an_error(bootstrap: str, write_topic: Callable[..., None]) -> None:
    """Waiting has a limit, and the topic is named."""
    write_topic("t", [b"a"])
    with pytest.raises(EchoPulseError, match="no record of t for 1 s before its end"):
        list(read_batches(bootstrap, Position("t", {0: 0}), Position("t", {0: 2}), timeout_s=1))


def test_a_broker_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the words of all that talk to Kafka."""
    monkeypatch.setattr("echopulse.job.topic_reader._TIMEOUT_S", 0.5)
    with pytest.raises(EchoPulseError, match=r"^no Kafka broker answers at 127\.0\.0\.1:1: .*`echopulse up`"):
        end_position("127.0.0.1:1", "t")
