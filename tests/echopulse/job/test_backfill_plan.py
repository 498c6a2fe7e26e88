from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from echopulse.job.backfill_plan import (
    Request,
    check_events_are_there,
    days,
    identity,
    longest_window,
    newest_hour,
    selection,
)
from features.lake.listing import Footer, LakeFile
from features.machinery.view_spec import CompiledView, ViewSchema
from schemas.errors import EchoPulseError, UsageError
from transforms.artifact import SHIPPED
from transforms.selection import Selection

START = datetime(2026, 1, 30, 22, 30, tzinfo=UTC)
REQUEST = Request(START, START + timedelta(hours=26))
VIEW = CompiledView(ViewSchema("v", (), ()), "SELECT 1", 3_600_000, 60_000)


def footer(day: int, hour: int, rows: int = 10) -> Footer:
    """One file of an hour of January."""
    file = LakeFile("", f"date=2026-01-{day}/hour={hour:02}", "part-0", 100, 0.0)
    return Footer(file, pa.schema([]), rows, frozenset())


def test_a_span_without_windows_is_wrong_usage() -> None:
    """It names both ends, in UTC."""
    with pytest.raises(UsageError) as told:
        Request(START, START)
    assert str(told.value) == "--from 2026-01-30T22:30:00Z is not before --to 2026-01-30T22:30:00Z"


def test_a_candidates_rows_go_elsewhere() -> None:
    """They must not get among the lake's."""
    with pytest.raises(UsageError) as told:
        Request(START, START + timedelta(hours=1), model="transformer")
    assert str(told.value) == (
        "--model transformer asks what a candidate would have said: its rows are not the lake's "
        "(--output PATH says where they go)"
    )


def test_days_are_cut_at_midnight() -> None:
    """Each counts the events of its hours; one that is in two days' windows alone counts in none."""
    files = [footer(30, 21, 1), footer(30, 22, 2), footer(30, 22, 3), footer(31, 0, 4), footer(31, 23, 5)]
    found = days(REQUEST, [*files, Footer(LakeFile("", "odd", "x", 1, 0.0), pa.schema([]), 7, frozenset())])
    assert [(day.name, day.until.day, day.events, day.bytes) for day in found] == [
        ("2026-01-30", 31, 5, 200),
        ("2026-01-31", 1, 9, 200),
        ("2026-02-01", 1, 0, 0),
    ]
    assert (found[0].after, found[-1].until) == (REQUEST.after, REQUEST.until)


def test_the_newest_hour_has_rows() -> None:
    """An empty file proves nothing."""
    assert newest_hour([footer(30, 1), footer(30, 5), footer(31, 0, 0)]) == datetime(2026, 1, 30, 5, tzinfo=UTC)
    assert newest_hour([]) is None


def test_deleted_events_are_told() -> None:
    """Rows of an hour before the first event's say that there were others; the hint is the first whole window."""
    longest = longest_window([VIEW])
    with pytest.raises(EchoPulseError) as told:
        check_events_are_there(REQUEST, [footer(30, 22)], [footer(30, 20)], longest)
    assert str(told.value) == (
        "the lake holds no events before 2026-01-30T22:00:00Z, and windows after 2026-01-30T22:30:00Z need them "
        "(--from 2026-01-30T23:00:00Z)"
    )
    check_events_are_there(REQUEST, [footer(30, 22)], [footer(30, 22)], longest)
    check_events_are_there(REQUEST, [footer(30, 21)], [footer(30, 20)], longest)
    check_events_are_there(REQUEST, [footer(30, 22)], [], longest)


def test_who_scores() -> None:
    """Nobody, the settings' strategies without those in shadow, or a model in the tasks it has."""
    base = Selection(strategies={"sentiment": "cascade"}, options={"sentiment": {"a": "b"}}, shadow={"stance": ("x",)})
    end = START + timedelta(hours=1)
    assert selection(base, REQUEST) is None
    anew = selection(base, Request(START, end, rescore=True))
    assert anew is not None
    assert (dict(anew.strategies), dict(anew.shadow)) == ({"sentiment": "cascade"}, {})
    asked = selection(base, Request(START, end, model="transformer", output="x"))
    assert asked is not None
    assert asked.strategies["sentiment"] == asked.strategies["toxicity"] == "bag"
    assert asked.options["sentiment/bag"] == {"model": str(SHIPPED / "transformer")}
    asked.open()


def test_an_identity_is_what_decides_the_rows() -> None:
    """The same for the same span, views and scores; another for another of each."""
    one = identity(REQUEST, [VIEW], None)
    assert one == identity(Request(START, START + timedelta(hours=26), here=True, again=True), [VIEW], None)
    others = [
        identity(Request(START, START + timedelta(hours=27)), [VIEW], None),
        identity(REQUEST, [CompiledView(VIEW.schema, "SELECT 2", 3_600_000, 60_000)], None),
        identity(REQUEST, [VIEW], Selection()),
        identity(REQUEST, [VIEW], Selection(strategies={"sentiment": "cascade"})),
        identity(Request(START, START + timedelta(hours=26), output="elsewhere"), [VIEW], None),
    ]
    assert len({one, *others}) == len(others) + 1
