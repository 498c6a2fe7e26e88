"""One window an entity, against the oracle's rows of all windows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from features.machinery.oracle import windows
from features.machinery.recompute import counting, newest_ends, recompute
from features.machinery.silence import LATER_MS
from features.machinery.view_spec import EVENT_TIMESTAMP, AggregationSpec, Column, ViewSpec
from features.machinery.windows import one_window, patience_ms

SECOND = 1_000
NAMES = ["ts", "channel_id", "user_id", "toxicity", "kind"]
EVENTS = st.lists(
    st.tuples(
        st.integers(400_000, 520_000),
        st.sampled_from(["", "a", "b"]),
        st.sampled_from(["", "u", "v"]),
        st.sampled_from([0.0, 0.25, 0.5]),
        st.sampled_from(["message", "join"]),
    ),
    max_size=25,
)


def view(size_s: int, slide_s: int, keys: tuple[str, ...] = ("channel_id",)) -> ViewSpec:
    """A view with a count, a mean, a first value, a ranking and a derived rate."""
    aggregations = tuple(
        AggregationSpec(name, function, column, size_s * SECOND, slide_s * SECOND, parameter)
        for name, function, column, parameter in [
            ("n", "count", "event_id", None),
            ("mean", "mean", "toxicity", None),
            ("first", "first", "toxicity", None),
            ("top", "top_k", "user_id", 2),
        ]
    )
    features = (
        *(Column("n", "int64"), Column("mean", "float64"), Column("first", "float64")),
        *(Column("top", "string"), Column("rate", "float64")),
    )
    join_keys = tuple(Column(key, "string") for key in keys)
    return ViewSpec("talk", join_keys, features, aggregations, {"rate": "n / window_seconds"}, "kind != 'join'")


VIEWS = st.sampled_from([view(30, 10), view(20, 20), view(60, 20, ("channel_id", "user_id"))])


def frame(events: list[tuple[Any, ...]]) -> pd.DataFrame:
    """Events as an analysed frame."""
    types = {"ts": "int64", "toxicity": "float64"} | dict.fromkeys(("channel_id", "user_id", "kind"), "object")
    ids = [f"e{number:02}" for number in range(len(events))]
    return pd.DataFrame(events, columns=NAMES).astype(types).assign(event_id=ids, stage="")


@given(VIEWS, EVENTS, st.data())
def test_a_window_is_what_the_oracle_says_of_it(spec: ViewSpec, events: list[tuple[Any, ...]], data: Any) -> None:  # noqa: ANN401 hypothesis' own
    """Whichever window is asked for, with events or without; where the oracle has no row there is none."""
    analysed, keys = frame(events), [column.name for column in spec.join_keys]
    entities = analysed[keys].drop_duplicates(ignore_index=True)
    ends = entities.assign(
        **{EVENT_TIMESTAMP: [data.draw(st.integers(39, 60)) * 10 * SECOND for _ in range(len(entities))]}
    ).astype({EVENT_TIMESTAMP: "int64"})
    found = recompute(spec, analysed, ends)
    if not events:
        assert found.empty
        return
    wanted = ends.merge(windows(spec, analysed), on=[*keys, EVENT_TIMESTAMP])
    assert list(found) == [*keys, EVENT_TIMESTAMP, *(feature.name for feature in spec.features)]
    assert_frame_equal(found, wanted, check_dtype=False)


@given(VIEWS, EVENTS, st.integers(390_000, 600_000))
def test_the_newest_row_is_the_oracles(spec: ViewSpec, events: list[tuple[Any, ...]], until_ms: int) -> None:
    """Of those that are due at an instant: as long after their end as views may wait, without events so much later."""
    analysed, keys = frame(events), [column.name for column in spec.join_keys]
    found = newest_ends(spec, analysed, until_ms)
    rows = windows(spec, analysed) if len(counting(spec, analysed)) else found
    size, slide = one_window(spec)
    near = rows[[*keys, EVENT_TIMESTAMP]].reset_index().merge(counting(spec, analysed)[[*keys, "ts"]], on=keys)
    holds = (near["ts"] >= near[EVENT_TIMESTAMP] - size) & (near["ts"] < near[EVENT_TIMESTAMP])
    later_ms = np.where(rows.index.isin(near.loc[holds, "index"]), patience_ms(slide), LATER_MS)
    wanted = rows[rows[EVENT_TIMESTAMP] + later_ms <= until_ms].groupby(keys)[EVENT_TIMESTAMP].max().to_dict()
    assert found.set_index(keys if len(keys) > 1 else keys[0])[EVENT_TIMESTAMP].to_dict() == wanted


def test_a_view_of_long_steps_may_be_late() -> None:
    """By 1.4 s: until then the row before is the newest that must be there."""
    spec, spoken = view(600, 300), frame([(250_000, "a", "u", 0.5, "message")])
    ends = [newest_ends(spec, spoken, until_ms)[EVENT_TIMESTAMP].tolist() for until_ms in (601_399, 601_400)]
    assert ends == [[300_000], [600_000]]


def test_a_time_that_is_no_windows_end_has_no_row() -> None:
    """Whoever wrote it, the job did not."""
    ends = pd.DataFrame({"channel_id": ["a"], EVENT_TIMESTAMP: [405_000]})
    assert recompute(view(30, 10), frame([(401_000, "a", "u", 0.5, "message")]), ends).empty
    later = recompute(view(30, 10), frame([(401_000, "a", "u", 0.5, "message")]), ends.assign(event_timestamp=410_000))
    assert later["rate"].tolist() == [pytest.approx(1 / 30)]
