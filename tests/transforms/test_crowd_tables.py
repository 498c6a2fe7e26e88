"""Tables of panes against plain counting."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.crowd import BYTES, PANE_MS, messages_of
from transforms import pane_tables as builder
from transforms.crowd_tables import Tables, estimate, merge_tables, read_tables
from transforms.pane_tables import pane_tables
from transforms.terms import find_message_terms

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "user_key": st.integers(1, 5),
            "text": st.lists(st.sampled_from(["apple", "#pear", "plum"]), max_size=3).map(" ".join),
            "kind": st.sampled_from(["message", "delete", "reaction"]),
            "toxic": st.integers(0, 1),
            "reply_to": st.sampled_from(["", "x"]),
        }
    ),
    min_size=1,
    max_size=25,
)


def _tables(rows: list[dict[str, Any]]) -> pa.BinaryArray:
    messages = messages_of(rows)
    return pane_tables(messages, find_message_terms(messages), PANE_MS)


def _counted(tables: Tables) -> dict[bytes, tuple[int, int]]:
    users = np.rint(estimate(tables.entries["users"])).astype(int).tolist()
    named = [surface.lower() for surface in tables.entries["surface"].tolist()]
    return dict(zip(named, zip(tables.entries["messages"].tolist(), users, strict=True), strict=True))


def _expected(rows: list[dict[str, Any]]) -> dict[bytes, tuple[int, int]]:
    spoken = [row for row in rows if row["kind"] == "message"]
    written = defaultdict(list)
    for row in spoken:
        written[row["user_key"]].append(row)
    median = sorted(len(own) for own in written.values())[(len(written) - 1) // 2] if written else 0
    loud = {user for user, own in written.items() if len(own) > max(3, 3 * median)}
    counts: dict[bytes, tuple[int, set[int]]] = {}
    for row in spoken:
        for term in set(row["text"].split()):
            messages, users = counts.get(term.encode(), (0, set()))
            counts[term.encode()] = (messages + 1, users | ({row["user_key"]} - loud))
    return {term: (messages, len(users)) for term, (messages, users) in counts.items()}


@settings(deadline=None)
@given(ROWS)
def test_a_table_counts_messages_and_users(rows: list[dict[str, Any]]) -> None:
    """Each term has its messages and the distinct users that are not loud; the head has what health needs."""
    tables = read_tables(_tables(rows))
    assert _counted(tables) == _expected(rows)
    head = tables.heads[0]
    spoken = [row for row in rows if row["kind"] == "message"]
    assert head["messages"] == len(spoken)
    assert head["toxic"] == sum(row["toxic"] for row in spoken)
    assert head["replies"] == sum(row["reply_to"] != "" for row in spoken)
    assert head["deletes"] == sum(row["kind"] == "delete" for row in rows)
    assert round(estimate(head["users"][None])[0]) == len({row["user_key"] for row in spoken})
    assert head["speakers"].sum() == len(spoken)


@settings(deadline=None)
@given(ROWS, ROWS)
def test_merged_tables_count_a_user_once(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> None:
    """Messages add up; a user who is in both tables counts once."""
    merged = read_tables(merge_tables(pa.array([[_tables(one)[0].as_py(), _tables(other)[0].as_py()]], BYTES)))
    parts = [_expected(one), _expected(other)]
    counted = _counted(merged)
    for term in parts[0].keys() | parts[1].keys():
        messages = [part.get(term, (0, 0)) for part in parts]
        assert counted[term][0] == sum(count for count, _ in messages)
        assert max(users for _, users in messages) <= counted[term][1] <= 5


def test_the_terms_of_fewest_users_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full table says how many users a term that it lacks may have."""
    monkeypatch.setattr(builder, "TERMS_A_CHANNEL", 1)
    rows = [{"user_key": user, "text": "apple" if user < 4 else "plum"} for user in range(1, 7)]
    rows.append({"user_key": 9, "text": "apple"})
    tables = read_tables(_tables(rows))
    assert list(_counted(tables)) == [b"apple"]
    assert tables.heads["cut"][0] == pytest.approx(3, rel=0.1)


@pytest.mark.parametrize("count", [1, 10, 100, 1_000, 10_000])
def test_distinct_users_are_estimated(count: int) -> None:
    """The crowd's users within a tenth, far beyond the number of registers."""
    rows = [{"user_key": user, "text": "x"} for user in range(1, count + 1)]
    users = estimate(read_tables(_tables(rows)).heads["users"])[0]
    assert users == pytest.approx(count, rel=0.1)


def test_bytes_that_are_no_table_are_refused() -> None:
    """They are an error of their own."""
    with pytest.raises(ValueError, match="no table"):
        read_tables(pa.array([b"abc"]))


def test_a_flood_in_one_channel_is_not_passed_on() -> None:
    """Over all channels its copies would hide behind ordinary use elsewhere; how large it was is kept."""
    flood = [{"user_key": user, "text": "apple plum"} for user in range(1, 21)]
    own = [{"user_key": 30 + user, "text": f"apple w{user}x"} for user in range(5)]
    tables = [_tables(rows)[0].as_py() for rows in (flood, own)]
    merged = read_tables(merge_tables(pa.array([tables], BYTES)))
    assert _counted(merged)[b"apple"] == (5, 5)
    assert b"plum" not in _counted(merged)
    assert merged.heads["flooded"][0] == pytest.approx(20, rel=0.1)
