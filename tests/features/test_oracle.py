"""The pandas oracle, against windows computed one by one."""

from __future__ import annotations

import json
import statistics
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.machinery.bins import ERROR
from features.machinery.oracle import windows
from features.machinery.view_spec import AggregationSpec, Column, ViewSpec

SECOND = 1_000
PARAMETERS = {"approx_percentile": 0.5, "top_k": 2}
SPECS = tuple(
    AggregationSpec(name, function, column, 30 * SECOND, 10 * SECOND, PARAMETERS.get(function))
    for name, function, column in [
        ("n", "count", "event_id"),
        ("users", "count_distinct", "user_id"),
        ("total", "sum", "toxic"),
        ("least", "min", "toxicity"),
        ("most", "max", "toxicity"),
        ("mean", "mean", "toxicity"),
        ("std", "std", "toxicity"),
        ("first", "first", "toxicity"),
        ("last", "last", "user_id"),
        ("median", "approx_percentile", "toxicity"),
        ("top", "top_k", "user_id"),
    ]
)
FEATURES = (
    Column("n", "int64"),
    Column("users", "int64"),
    Column("total", "int64"),
    Column("least", "float64"),
    Column("most", "float64"),
    Column("mean", "float64"),
    Column("std", "float64"),
    Column("first", "float64"),
    Column("last", "string"),
    Column("median", "float64"),
    Column("top", "string"),
    Column("rate", "float64"),
)
VIEW = ViewSpec(
    "talk", (Column("channel_id", "string"),), FEATURES, SPECS, {"rate": "n / window_seconds"}, "kind != 'join'"
)
EVENTS = st.lists(
    st.tuples(
        st.integers(0, 120_000),
        st.sampled_from(["", "a", "b"]),
        st.sampled_from(["", "u", "v", "w"]),
        st.sampled_from([0.0, 0.25, 0.5, 1.0]),
        st.integers(0, 1),
        st.sampled_from(["message", "join"]),
        st.sampled_from(["", "decode"]),
    ),
    max_size=30,
)
NAMES = ["ts", "channel_id", "user_id", "toxicity", "toxic", "kind", "stage"]


def frame(events: list[tuple[Any, ...]]) -> pd.DataFrame:
    """Events as an analysed frame."""
    texts = dict.fromkeys(("channel_id", "user_id", "kind", "stage"), "object")
    types = texts | {"ts": "int64", "toxicity": "float64", "toxic": "int32"}
    return pd.DataFrame(events, columns=NAMES).astype(types).assign(event_id=[f"e{n:02}" for n in range(len(events))])


def values_of(held: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    """The features of one window from its events in their order; of one without, what is known without any."""
    scores, users = [event[3] for event in held], [event[2] for event in held if event[2]]
    ranked = sorted(set(users), key=lambda user: (-users.count(user), user))[:2]
    return (
        len(held),
        len(set(users)),
        sum(event[4] for event in held),
        min(scores, default=None),
        max(scores, default=None),
        pytest.approx(statistics.fmean(scores)) if held else None,
        pytest.approx(statistics.pstdev(scores)) if held else None,
        scores[0] if held else None,
        users[-1] if users else None,
        pytest.approx(statistics.median(scores), rel=1.001 * ERROR) if held else None,
        json.dumps(ranked, separators=(",", ":")),
        len(held) / 30,
    )


def window_by_window(events: list[tuple[Any, ...]]) -> dict[tuple[str, int], tuple[Any, ...]]:
    """Each window on its own, in plain Python; of those without events the first after some that have."""
    rows: dict[tuple[str, int], tuple[Any, ...]] = {}
    in_order = sorted(events, key=lambda event: event[0])  # the ids of events of one instant rise already
    for end in range(0, 170_000, 10 * SECOND):
        for channel in ("a", "b"):
            held = [
                event
                for event in in_order
                if end - 30 * SECOND <= event[0] < end and event[1] == channel and event[5:] == ("message", "")
            ]
            if held or rows.get((channel, end - 10 * SECOND), (0,))[0]:
                rows[channel, end] = values_of(held)
    return rows


@given(EVENTS)
def test_the_oracle_is_the_windows_one_by_one(events: list[tuple[Any, ...]]) -> None:
    """Edges, empty keys, filters, failed rows and empty windows fall as they do window by window."""
    result = windows(VIEW, frame(events))
    found = {
        (row[0], row[-1]): tuple(None if pd.isna(value) else value for value in row[1:-1])
        for row in result.itertuples(index=False, name=None)
    }
    assert found == window_by_window(events)


def test_an_event_on_an_edge_belongs_to_the_window_that_begins_there() -> None:
    """A window holds its start and not its end; the first that holds nothing says so."""
    result = windows(VIEW, frame([(30_000, "a", "u", 0.0, 0, "message", "")]))
    assert list(result["event_timestamp"]) == [40_000, 50_000, 60_000, 70_000]
    assert list(result["n"]) == [1, 1, 1, 0]


def test_windows_that_do_not_overlap() -> None:
    """With a step of the window's size every event counts once."""
    specs = tuple(replace(spec, slide_ms=30 * SECOND) for spec in SPECS)
    result = windows(
        replace(VIEW, aggregations=specs), frame([(t, "a", "u", 0.0, 0, "message", "") for t in (0, 29_999, 30_000)])
    )
    assert list(result["n"]) == [2, 1, 0]
    assert list(result["event_timestamp"]) == [30_000, 60_000, 90_000]


def test_no_events_give_no_rows_with_the_same_columns() -> None:
    """An empty frame keeps its columns and their types."""
    result = windows(VIEW, frame([]))
    assert list(result.columns) == ["channel_id", *(feature.name for feature in FEATURES), "event_timestamp"]
    assert result.empty
