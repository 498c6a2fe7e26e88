"""Silence: when the first window of a key's without events is told, and that no reader of panes makes them anew."""

from __future__ import annotations

import pytest

from features.machinery.aggregates import FUNCTIONS, Argument
from features.machinery.expression import Term
from features.machinery.silence import falls_silent, last_panes, of_nothing

MINUTE = 60_000


def _sql(slide_ms: int, step_ms: int | None = None) -> str:
    return last_panes("panes", ["`user_id`"], ["rows", "sum_x"], [slide_ms * 2], slide_ms, step_ms or slide_ms).sql


@pytest.mark.parametrize(
    ("slide_s", "step_s", "later"),
    [(2, 2, "'1' SECOND"), (9, 9, "'4' SECOND"), (60, 10, "'5' SECOND"), (60, 60, "'5' SECOND")],
)
def test_silences_are_told_after_the_rest(slide_s: int, step_s: int, later: str) -> None:
    """Five seconds after the end of a slide, or half a pane; the row bears the end."""
    sql = _sql(slide_s * 1_000, step_s * 1_000)
    assert sql.count(f", INTERVAL {later}))\n") == 1
    assert f"CAST(`window_end` - INTERVAL {later} AS TIMESTAMP_LTZ(3)) AS `event_timestamp`" in sql


def test_where_panes_are_of_a_second_they_are_told_at_once() -> None:
    """There is no half of it that a window can be moved by."""
    assert "CAST(`window_end` AS TIMESTAMP_LTZ(3)) AS `event_timestamp`" in _sql(MINUTE, 1_000)


def test_every_column_of_panes_is_read() -> None:
    """Or panes would be made a second time, for keys and times alone."""
    assert "WHERE `rows` > 0 OR CASE WHEN `rows` < 0 THEN `sum_x` END IS NOT NULL" in _sql(MINUTE)


def test_a_table_bears_the_name_of_its_slide() -> None:
    """Several of them may stand on the same panes."""
    tables = [last_panes("panes", ["k"], ["rows"], [slide], slide, MINUTE) for slide in (MINUTE, 2 * MINUTE)]
    assert [table.name for table in tables] == ["panes_last_1m", "panes_last_2m"]


def test_a_view_takes_the_silences_of_its_own_window() -> None:
    """The last pane lies one window back, and less than a slide more."""
    first = "`last_pane` >= `event_timestamp` - INTERVAL '6' MINUTE"
    assert falls_silent(5 * MINUTE, MINUTE) == f"{first} AND `last_pane` < `event_timestamp` - INTERVAL '5' MINUTE"


@pytest.mark.parametrize(
    ("function", "sql"),
    [
        ("count", "CASE WHEN `last_pane` < `event_timestamp` THEN CAST(0 AS BIGINT) END"),
        ("min", "CASE WHEN `last_pane` >= `event_timestamp` THEN CAST('0' AS DOUBLE) END"),
        ("top_k", "CASE WHEN `last_pane` < `event_timestamp` THEN CAST('[]' AS STRING) END"),
    ],
)
def test_what_a_function_gives_of_nothing_is_no_literal(function: str, sql: str) -> None:
    """A count is 0 and a minimum missing, but neither is known before the row is there."""
    assert of_nothing(FUNCTIONS[function], Argument("x", Term("`x`", "float64"))).sql == sql
