"""Merging partial aggregates, against plain Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from features.machinery.arrow_groups import group, merge, singletons

if TYPE_CHECKING:
    from collections.abc import Callable

    from features.machinery.arrow_groups import Merging

KEYS = st.tuples(st.sampled_from(["a", "b", "é", None]), st.integers(0, 2))
NUMBER = st.one_of(st.none(), st.integers(-(2**40), 2**40))
TEXT = st.one_of(st.none(), st.text("a\x01é😀", max_size=3))
SET = st.lists(st.integers(-(2**31), 2**31 - 1), max_size=3)
ROWS = st.lists(st.tuples(KEYS, NUMBER, TEXT, SET), max_size=20)
HOW: dict[str, Merging] = {
    "sum": "sum",
    "min": "min",
    "max": "max",
    "least": "least",
    "greatest": "greatest",
    "union": "union",
}


def least(texts: list[str]) -> str:
    """The text whose bytes are the least."""
    return min(texts, key=str.encode)


def greatest(texts: list[str]) -> str:
    """The text whose bytes are the greatest."""
    return max(texts, key=str.encode)


def of_some(function: Callable[[list[Any]], Any], values: list[Any]) -> Any:  # noqa: ANN401 a value of any type
    """A function of the values that are there, nothing of none."""
    there = [value for value in values if value is not None]
    return function(there) if there else None


@given(ROWS)
def test_groups_are_merged_as_sql_does(rows: list[tuple[Any, ...]]) -> None:
    """Nulls are keys of their own and no values; each group comes where its first row is."""
    numbers, texts = pa.array([row[1] for row in rows], pa.int64()), pa.array([row[2] for row in rows], pa.string())
    table = pa.table(
        {
            "k": pa.array([row[0][0] for row in rows], pa.string()),
            "n": pa.array([row[0][1] for row in rows], pa.int64()),
            **dict.fromkeys(("sum", "min", "max"), numbers),
            **dict.fromkeys(("least", "greatest"), texts),
            "union": pa.array([row[3] for row in rows], pa.list_(pa.int32())),
        }
    )
    groups: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for row in rows:
        groups.setdefault(row[0], []).append(row)
    found = merge(table, ["k", "n"], HOW).to_pylist()
    for row in found:
        row["union"] = set(row["union"])
    assert found == [
        {
            "k": key[0],
            "n": key[1],
            "sum": of_some(sum, [row[1] for row in members]),
            "min": of_some(min, [row[1] for row in members]),
            "max": of_some(max, [row[1] for row in members]),
            "least": of_some(least, [row[2] for row in members]),
            "greatest": of_some(greatest, [row[2] for row in members]),
            "union": {key for row in members for key in row[3]},
        }
        for key, members in groups.items()
    ]


def test_sets_of_one_key_each() -> None:
    """A missing one is no key."""
    assert singletons(pa.array([3, None, -1], pa.int32())).to_pylist() == [[3], [], [-1]]


def test_no_rows_are_no_groups() -> None:
    """Also of several columns."""
    groups = group([pa.array([], pa.string()), pa.array([], pa.int64())])
    assert (groups.count, len(groups.codes)) == (0, 0)
