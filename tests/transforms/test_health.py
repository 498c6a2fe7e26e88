"""Community health, part by part."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.crowd import BYTES, digested, panes_of, tables_of
from transforms.crowd_tables import read_table_lists
from transforms.health import LEAST_MESSAGES, PARTS, WEIGHTS, Health, evenness, find_health

_START_MS = 1_700_000_000_000 // 60_000 * 60_000


def _health(rows: list[dict[str, Any]], seconds: int = 60) -> Health:
    """The health of one channel whose messages are spread evenly over so many seconds."""
    times = _START_MS + np.arange(len(rows)) * seconds * 1_000 // max(1, len(rows))
    tables = [(end, scopes["c"]) for end, scopes in tables_of(panes_of([(digested(rows), times.astype(np.int64))]))]
    return _of([table for _, table in tables], tables[-1][0])


def _of(tables: list[bytes], end: int) -> Health:
    return find_health(*read_table_lists(pa.array([tables], BYTES)), np.array([end]))


def _part(health: Health, name: str) -> float:
    return float(health.parts[0, PARTS.index(name)])


def _calm(count: int = 60) -> list[dict[str, Any]]:
    return [{"user_key": user, "text": "hello"} for user in range(1, count + 1)]


def test_weights_are_shares() -> None:
    """They add up to 1, one for each part."""
    assert WEIGHTS.sum() == pytest.approx(1)
    assert len(WEIGHTS) == len(PARTS)


def test_a_calm_channel_is_well() -> None:
    """Nothing toxic, nothing deleted, everyone speaks: 100; what is not known plays no part."""
    health = _health(_calm())
    assert health.score[0] == pytest.approx(100, abs=2)
    assert np.isnan(health.parts[0, PARTS.index("civility")])
    assert np.isnan(health.parts[0, PARTS.index("growth")])
    assert health.messages[0] == 60
    assert health.users[0] == pytest.approx(60, rel=0.1)


def test_toxicity_and_its_spread_are_two_things() -> None:
    """The same share of toxic messages by one user or by many: spread tells them apart."""
    by_one = [dict(row, user_key=1, toxic=1) if place < 15 else row for place, row in enumerate(_calm())]
    by_many = [dict(row, toxic=int(place < 15)) for place, row in enumerate(_calm())]
    assert _part(_health(by_one), "toxicity") == _part(_health(by_many), "toxicity") == pytest.approx(50)
    assert _part(_health(by_one), "spread") > 90
    assert _part(_health(by_many), "spread") == pytest.approx(50, abs=5)


def test_replies_are_held_to_their_own_toxicity() -> None:
    """Civility is that of replies alone."""
    rows = [
        dict(row, reply_to="x" if place < 10 else "", toxicity=0.4 if place < 10 else 0.0)
        for place, row in enumerate(_calm())
    ]
    assert _part(_health(rows), "civility") == pytest.approx(60, abs=0.1)


def test_deletions_are_moderation() -> None:
    """Three deletions in sixty messages are half way to the worst."""
    rows = _calm() + [{"kind": "delete", "user_key": 1}] * 3
    rows = [{"event_id": f"e{place}", **row} for place, row in enumerate(rows)]
    assert _part(_health(rows), "moderation") == pytest.approx(50, abs=1)


def test_a_monologue_is_not_diverse() -> None:
    """One user who writes nearly everything."""
    rows = [{"user_key": 1 if place % 20 else 2 + place, "text": "hello"} for place in range(60)]
    assert _part(_health(rows), "diversity") < 40


def test_growth_is_held_against_earlier_minutes() -> None:
    """Twice the users of the minutes before is three quarters of the way."""
    quiet = [{"user_key": user, "text": "a"} for user in range(1, 31)] * 2
    loud = [{"user_key": user, "text": "a"} for user in range(1, 61)]
    rows = [{"event_id": f"e{place}", **row} for place, row in enumerate(quiet + loud)]
    tables = panes_of([(digested(rows), _START_MS + np.repeat([0, 60_000, 120_000], [30, 30, 60]).astype(np.int64))])
    listed = [(end, scopes["c"]) for end, scopes in tables_of(tables)]
    health = _of([table for _, table in listed], listed[-1][0])
    assert _part(health, "growth") == pytest.approx(75, abs=4)


def test_few_messages_say_nothing() -> None:
    """Below the least number there is no score."""
    assert len(_health(_calm(LEAST_MESSAGES - 1)).score) == 0


@given(st.lists(st.integers(0, 50), min_size=1, max_size=8))
def test_evenness_is_shannons(counts: list[int]) -> None:
    """Against the formula, one share at a time."""
    shares = [count / sum(counts) for count in counts if count]
    users = len(shares)
    expected = -sum(share * np.log(share) for share in shares) / np.log(users) if users > 1 else 1.0
    assert evenness(np.array([counts], np.float64), np.array([float(users)]))[0] == pytest.approx(expected)
