"""How far a group has come, asked of a broker whose coordinator may be late."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.job import group_offsets
from echopulse.job.group_offsets import commit, committed
from echopulse.job.topic_reader import Position, end_position
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_group_goes_on_from_what_is_committed_for_it(bootstrap: str, write_topic: Callable[..., None]) -> None:
    """Whatever it had read before; of another group nothing is known."""
    write_topic("t", [b"a", b"b"])
    end = end_position(bootstrap, "t")
    assert committed(bootstrap, "someone", end) == Position("t", {})
    commit(bootstrap, "someone", Position("t", {0: 1}))
    assert committed(bootstrap, "someone", end) == Position("t", {0: 1})
    commit(bootstrap, "someone", end)
    assert committed(bootstrap, "someone", end) == end
    assert committed(bootstrap, "another", end) == Position("t", {})


def test_an_offset_that_the_broker_does_not_take_is_an_error(bootstrap: str) -> None:
    """A topic that is not there has no offsets."""
    with pytest.raises(EchoPulseError, match="does not take the offsets of group someone"):
        commit(bootstrap, "someone", Position("none-such", {0: 1}))


def test_a_broker_that_is_away_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line with the group and what to look at."""
    monkeypatch.setattr(group_offsets, "_TIMEOUT_S", 0.1)
    with pytest.raises(EchoPulseError, match=r"127\.0\.0\.1:1 does not tell the offsets of group someone: .*status"):
        committed("127.0.0.1:1", "someone", Position("t", {0: 1}))
