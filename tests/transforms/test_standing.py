"""Events that still stand, against a loop over them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from transforms.standing import standing

_SCHEMA = pa.schema(
    [
        ("channel_id", pa.string()),
        ("event_id", pa.string()),
        ("kind", pa.string()),
        ("target", pa.string()),
        ("ts", pa.timestamp("ms")),
        ("place", pa.int64()),
    ]
)
_EVENTS = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.sampled_from(["message", "edit", "delete", "reaction"]),
        st.sampled_from(["", "0", "1", "2", "3"]),
        st.integers(0, 3),
    ),
    max_size=8,
)


def _table(events: list[tuple[str, str, str, int]]) -> pa.Table:
    rows = [
        {"channel_id": channel, "event_id": str(place), "kind": kind, "target": target, "ts": ts, "place": place}
        for place, (channel, kind, target, ts) in enumerate(events)
    ]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def _by_hand(rows: list[dict[str, Any]]) -> list[int]:
    """Go through the events one by one."""

    def root(row: dict[str, Any]) -> tuple[str, str]:
        about = row["kind"] in {"edit", "delete"} and row["target"]
        return row["channel_id"], row["target"] if about else row["event_id"]

    stand = []
    for row in rows:
        family = [other for other in rows if root(other) == root(row)]
        if row["kind"] == "delete" or any(other["kind"] == "delete" for other in family):
            continue
        edits = [other for other in family if other["kind"] == "edit"]
        if not edits or row is max(edits, key=lambda edit: (edit["ts"], edit["event_id"])):
            stand.append(row["place"])
    return stand


@given(_EVENTS)
def test_as_a_loop_finds_them(events: list[tuple[str, str, str, int]]) -> None:
    """Whatever comes in whatever order."""
    table = _table(events)
    assert standing(table).column("place").to_pylist() == _by_hand(table.to_pylist())


def test_an_edited_and_a_deleted_message() -> None:
    """The edit stands for the first; the second is gone with its edit; a reaction to it is an event of its own."""
    table = _table(
        [
            ("a", "message", "", 0),
            ("a", "message", "", 0),
            ("a", "edit", "0", 1),
            ("a", "edit", "1", 1),
            ("a", "reaction", "1", 2),
            ("a", "delete", "1", 2),
            ("b", "delete", "0", 2),
        ]
    )
    assert standing(table).column("place").to_pylist() == [2, 4]
