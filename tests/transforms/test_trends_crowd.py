"""The crowd of a scope against plain counting."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.crowd import BYTES, PANE_MS, digested, panes_of, tables_of
from transforms.crowd_tables import read_table_lists
from transforms.trends_crowd import MINUTE_MS, PAST_MINUTES, Crowd, crowd_of

_START_MS = 1_700_000_000_000 // MINUTE_MS * MINUTE_MS
_A_MINUTE = MINUTE_MS // PANE_MS


def _crowd(users: list[int]) -> Crowd:
    """The crowd of one channel with so many users, each with one message, in each pane."""
    rows = [{"user_key": 1 + user, "text": "x"} for count in users for user in range(count)]
    rows = [{"event_id": f"e{place}", **row} for place, row in enumerate(rows)]
    times = _START_MS + PANE_MS * np.repeat(np.arange(len(users)), users)
    tables = [(end, scopes["c"]) for end, scopes in tables_of(panes_of([(digested(rows), times.astype(np.int64))]))]
    read, scope = read_table_lists(pa.array([[table for _, table in tables]], BYTES))
    return crowd_of(read, scope, np.array([tables[-1][0]]), PANE_MS)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=40))
def test_growth_is_held_against_the_quietest_minute(users: list[int]) -> None:
    """Whole minutes before the last one, at any pane, as far back as is looked."""
    crowd = _crowd(users)
    aged = users[::-1][: (PAST_MINUTES + 1) * _A_MINUTE]
    minutes = [sum(aged[age : age + _A_MINUTE]) for age in range(len(aged) - _A_MINUTE + 1)]
    expected = minutes[0] - min(minutes[1:]) if len(minutes) > 1 else 0
    assert crowd.grown[0] == pytest.approx(expected, abs=2 + 0.05 * sum(aged))
    assert crowd.minutes[0] == pytest.approx(min(max(len(users) / _A_MINUTE - 1, 0), PAST_MINUTES))


def test_pace_is_messages_by_user_of_the_last_minute() -> None:
    """Ten users who write in each of six panes write six messages each."""
    assert _crowd([10] * 12).pace[0] == pytest.approx(6, rel=0.1)
