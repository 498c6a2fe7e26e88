"""Views in Arrow against the pandas oracle, however events come in batches and panes are merged."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from features.machinery.arrow_groups import with_columns
from features.machinery.arrow_views import arrow_families
from features.machinery.oracle import windows
from features.machinery.resolve import ViewError
from tests.features.every_function import (
    EVENT,
    MINUTE,
    SECOND,
    SIMPLE,
    START_MS,
    VIEWS,
    frame,
    random_events,
    same,
    table,
    view_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from features.machinery.view_spec import ViewSpec

_NEVER = 2**53


def rows_of(
    views: Sequence[ViewSpec], events: pd.DataFrame, cuts: Sequence[int], after_ms: int = 0, until_ms: int = _NEVER
) -> dict[str, pd.DataFrame]:
    """The rows of each view, from events that come in batches cut at some places, whose panes merge from the end."""
    whole = table(events)
    edges = sorted({0, len(events), *(cut for cut in cuts if cut < len(events))})
    batches = [whole.slice(start, end - start) for start, end in pairwise(edges)] or [whole]
    result = {}
    for family in arrow_families(views):
        panes = family.panes(batches[-1])
        for batch in reversed(batches[:-1]):
            panes = family.merged([panes, family.panes(batch)])
        for view in family.views:
            rows = family.feature_rows(view, panes, after_ms, until_ms).to_pandas()
            keys = [key.name for key in view.view.join_keys]
            result[view.view.name] = rows.sort_values([*keys, "event_timestamp"], ignore_index=True)
    return result


@settings(max_examples=12)
@given(st.lists(EVENT, max_size=25), st.lists(st.integers(1, 24), max_size=3))
def test_rows_are_the_oracles(events: list[tuple[Any, ...]], cuts: list[int]) -> None:
    """Every function, with edges, empty keys and values, filters, failed rows and windows without events."""
    analysed = frame(events)
    found = rows_of(VIEWS, analysed, cuts)
    for view in VIEWS:
        same(found[view.name], view, windows(view, analysed))


def test_many_events() -> None:
    """Windows that hold many of few keys; the number of batches changes nothing, to the last bit."""
    analysed = random_events(1_500)
    found = rows_of(VIEWS, analysed, range(0, 1_500, 100))
    whole = rows_of(VIEWS, analysed, ())
    for view in VIEWS:
        same(found[view.name], view, windows(view, analysed))
        assert_frame_equal(found[view.name], whole[view.name], check_exact=True)


def test_a_span_holds_the_windows_that_end_in_it() -> None:
    """After its beginning, by its end; the window without events is there, and it alone behind the last event."""
    view = view_of("all_30s", SIMPLE, 30 * SECOND, 10 * SECOND)
    events = frame([(0, "", "message", "", "a", "u", 0, 0.5, 0, 0, None, 0)])
    found = rows_of([view], events, (), START_MS + 20 * SECOND, START_MS + 50 * SECOND)["all_30s"]
    assert list(found["event_timestamp"] - START_MS) == [30 * SECOND, 40 * SECOND]
    assert list(found["messages"]) == [1, 0]
    assert found["harm"].tolist() == [0.5, 0.0]
    assert found["calmest"].isna().tolist() == [False, True]


def test_columns_have_the_types_that_are_declared() -> None:
    """Of keys and features, whatever those of the events and of their sums are; ends are whole ms."""
    events = frame([(0, "", "message", "", "a", "u", 1, 0.5, 0, 0, None, 0)])
    for family in arrow_families(VIEWS):
        for view in family.views:
            rows = family.feature_rows(view, family.panes(table(events)), 0, _NEVER)
            declared = {column.name: column.type for column in (*view.view.join_keys, *view.view.features)}
            typed = {name: pa.type_for_alias(type_) for name, type_ in declared.items()}
            assert rows.schema == pa.schema([*typed.items(), ("event_timestamp", pa.int64())])


def test_what_sql_does_not_know_does_not_count() -> None:
    """A column that an older file of the lake has not is null: in a filter, as a key, and in an aggregate."""
    views = [
        view_of("spoken", SIMPLE, MINUTE, MINUTE, filter_="kind not in ('join', 'delete')"),
        view_of("other", SIMPLE, MINUTE, MINUTE, filter_="not (emoji_count > 3) or kind == 'edit'"),
        view_of("any", SIMPLE, MINUTE, MINUTE),
    ]
    events = frame([(n, "", "edit" if n else "", "", "a", "u", 1, 0.5, 0, 0, None, 0) for n in range(3)])
    rows = table(events)
    for name, null in (
        ("kind", [None, "edit", None]),
        ("emoji_count", [None, None, 1]),
        ("channel_id", ["a", "a", None]),
    ):
        rows = with_columns(rows, {name: pa.array(null, rows.schema.field(name).type)})
    rows = with_columns(rows, {"toxicity": pa.nulls(3, pa.float64())})
    counts = {}
    for family in arrow_families(views):
        for view in family.views:
            first = family.feature_rows(view, family.panes(rows), 0, _NEVER).to_pylist()[0]
            counts[view.view.name] = first["messages"]
            assert (first["harm"], first["mean_harm"], first["opening"], first["calmest"]) == (0.0, None, None, None)
    assert counts == {"spoken": 1, "other": 1, "any": 2}


def test_what_cannot_be_computed_is_refused_as_by_the_compiler() -> None:
    """With the view, the aggregation and the near miss."""
    with pytest.raises(ViewError) as told:
        arrow_families([view_of("v", (("n", "cuont", "event_id", "int64", None),), MINUTE, MINUTE)])
    assert str(told.value).startswith("view 'v', aggregation 'n': no function 'cuont' (did you mean 'count'")
