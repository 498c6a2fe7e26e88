"""How a row online is judged, case by case."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from features.machinery.consistency import Bounds, ViewReport, judge
from features.machinery.outcomes import TOLERANCE
from features.machinery.silence import LATER_MS
from features.machinery.view_spec import EVENT_TIMESTAMP, AggregationSpec, Column, ViewSpec

FEATURES = (Column("n", "int64"), Column("share", "float64"), Column("word", "string"))
VIEW = ViewSpec(
    "seats",
    (Column("seat", "int64"), Column("channel_id", "string")),
    FEATURES,
    tuple(
        AggregationSpec(name, function, column, 20_000, 10_000)
        for name, function, column in [
            ("n", "count", "event_id"),
            ("share", "mean", "toxicity"),
            ("word", "last", "text"),
        ]
    ),
)
NOW = 1_000_000
BOUNDS = Bounds(known_ms=NOW, settled_ms=NOW, recent_ms=NOW - 500_000, alive_ms=NOW - 400_000)


def events(*rows: tuple[int, str, int, float, str, bool]) -> pd.DataFrame:
    """Analysed events: seat, channel, ts, toxicity, text, late."""
    frame = pd.DataFrame(rows, columns=["seat", "channel_id", "ts", "toxicity", "text", "late"])
    types = {
        "seat": "int64",
        "ts": "int64",
        "toxicity": "float64",
        "channel_id": "object",
        "text": "object",
        "late": "bool",
    }
    return frame.astype(types).assign(event_id=[f"e{n}" for n in range(len(frame))], stage="")


def online(*rows: tuple[int, str, Any, Any, Any, Any]) -> pd.DataFrame:
    """Rows of the store: seat, channel, features, event timestamp."""
    frame = pd.DataFrame(rows, columns=["seat", "channel_id", "n", "share", "word", EVENT_TIMESTAMP])
    return frame.astype({"seat": "Int64", "n": "Int64", "share": float, "word": object, EVENT_TIMESTAMP: "Int64"})


def judged(rows: pd.DataFrame, analysed: pd.DataFrame, bounds: Bounds = BOUNDS, view: ViewSpec = VIEW) -> ViewReport:
    """Judge rows that could all be read; each is told once."""
    unreadable = pd.DataFrame(False, index=rows.index, columns=["n", "share", "word"])  # noqa: FBT003 a value
    report = judge(view, rows, unreadable, analysed, bounds)
    assert (report.entities, told(report), report.unreadable) == (len(rows), len(rows), 0)
    return report


def told(report: ViewReport) -> int:
    """How many rows the report tells of."""
    left_out = (report.older, report.unsettled, report.before_job, report.absent, report.unreadable)
    return report.checked + sum(left_out)


def outcomes(report: ViewReport) -> list[str]:
    """The outcome of each feature of the only row."""
    return [
        next(outcome for outcome, count in counts.items() if count and outcome != "checked")
        for counts in report.features.values()
    ]


SAID = events((1, "a", NOW - 15_000, 0.25, "x", False), (1, "a", NOW - 5_000, 0.5, "", False))


def test_equal_values_of_several_keys() -> None:
    """Doubles within the tolerance; an entity that nobody knows is no row and none is missing."""
    share = 0.375 * (1 + TOLERANCE / 2)
    report = judged(online((1, "a", 2, share, "x", NOW), (2, "a", None, None, None, None)), SAID)
    assert (report.entities, report.checked, report.missing, report.absent) == (2, 1, 0, 1)
    assert outcomes(report) == ["equal", "equal", "equal"]
    assert report.worst is None


def test_a_spread_may_be_off_by_its_own_error() -> None:
    """Where `std` is computed from sums; other doubles may not."""
    spread = replace(VIEW, aggregations=(*VIEW.aggregations[::2], replace(VIEW.aggregations[1], function="std")))
    assert outcomes(judged(online((1, "a", 2, 0.125 + 2e-8, "x", NOW)), SAID, view=spread))[1] == "equal"
    assert outcomes(judged(online((1, "a", 2, 0.125 + 4e-8, "x", NOW)), SAID, view=spread))[1] == "mismatch"
    assert outcomes(judged(online((1, "a", 2, 0.375 + 2e-8, "x", NOW)), SAID))[1] == "mismatch"


def test_each_feature_is_judged_by_itself() -> None:
    """A null online is missing, a value where none is due extra, another value a mismatch."""
    report = judged(online((1, "a", 3, None, "x", NOW)), SAID)
    assert outcomes(report) == ["mismatch", "missing", "equal"]
    silent = events((1, "a", NOW - 15_000, 0.25, "", False))
    report = judged(online((1, "a", 1, 0.25, "y", NOW)), silent)
    assert outcomes(report) == ["equal", "equal", "extra"]
    assert report.worst is not None
    assert (report.worst.online, report.worst.recomputed) == ("y", None)


def test_the_worst_is_the_mismatch_that_is_furthest_off() -> None:
    """By its share; before all that is extra or missing."""
    rows = online((1, "a", 2, 0.376, "x", NOW), (9, "b", 7, 0.5, "z", NOW))
    worst = judged(rows, SAID).worst
    assert worst is not None
    assert (worst.entity, worst.feature, worst.outcome) == ({"seat": 1, "channel_id": "a"}, "share", "mismatch")
    assert (worst.online, worst.recomputed) == (0.376, 0.375)


@pytest.mark.parametrize(("bounds", "missing"), [(BOUNDS, 1), (replace(BOUNDS, alive_ms=NOW), 0)])
def test_a_row_is_missing_while_it_would_live(bounds: Bounds, missing: int) -> None:
    """One that has outlived its view is rightly gone."""
    report = judged(online((1, "a", None, None, None, None)), SAID, bounds)
    assert (report.missing, report.total("missing"), report.absent) == (missing, 3 * missing, 1 - missing)


def test_the_first_window_without_events_is_due() -> None:
    """The row before it is stale, once the time is up until which silences are told."""
    analysed = events((1, "a", NOW - 25_000, 0.25, "x", False))
    untold, told = (replace(BOUNDS, known_ms=NOW + LATER_MS - early) for early in (1, 0))
    last = judged(online((1, "a", 1, 0.25, "x", NOW - 10_000)), analysed, untold)
    assert outcomes(last) == ["equal", "equal", "equal"]
    due = judged(online((1, "a", 1, 0.25, "x", NOW - 10_000)), analysed, told)
    assert (due.stale, due.total("missing")) == (1, 3)
    assert due.worst is not None
    assert (due.worst.event_timestamp, due.worst.online, due.worst.recomputed) == (NOW, None, 0)
    assert outcomes(judged(online((1, "a", 0, None, None, NOW)), analysed)) == ["equal", "equal", "equal"]


@pytest.mark.parametrize(("whole", "left_out"), [(NOW - 30_000, 0), (NOW - 29_999, 1)])
def test_windows_from_before_the_job_are_left_out(whole: int, left_out: int) -> None:
    """Of 20 s, and in steps of 10 s: a row there, and one that is due, whatever they should be."""
    bounds = replace(BOUNDS, whole_ms=whole)
    there = judged(online((1, "a", 9, 0.5, "y", NOW)), SAID, bounds)
    assert (there.before_job, there.checked, there.total("mismatch")) == (left_out, 1 - left_out, 3 * (1 - left_out))
    due = judged(online((1, "a", None, None, None, None)), SAID, bounds)
    assert (due.before_job, due.missing) == (left_out, 1 - left_out)
    behind = judged(online((1, "a", 1, 0.25, "x", NOW - 10_000)), SAID, bounds)
    assert (behind.before_job, behind.stale) == (left_out, 1 - left_out)


def test_a_whole_window_that_is_due_is_missing() -> None:
    """Though the row that is there is one of before the job; an older one is older."""
    bounds = replace(BOUNDS, whole_ms=NOW - 30_000)
    report = judged(online((1, "a", 1, 0.25, "x", NOW - 10_000)), SAID, bounds)
    assert (report.stale, report.before_job) == (1, 0)
    early = events((1, "a", NOW - 600_000, 0.25, "x", False))
    older = judged(online((1, "a", 0, None, None, NOW - 580_000)), early, bounds)
    assert (older.older, older.before_job) == (1, 0)


def test_late_events_may_count_or_not() -> None:
    """A row of late events alone too; whatever else it says is `late`."""
    late = pd.concat([SAID, events((1, "a", NOW - 4_000, 0.5, "y", True))], ignore_index=True)
    for values in [(2, 0.375, "x"), (3, 1.25 / 3, "y")]:
        report = judged(online((1, "a", *values, NOW)), late.assign(event_id=["e0", "e1", "e2"]))
        assert (outcomes(report), report.late_events) == (["equal", "equal", "equal"], 1)
    report = judged(online((1, "a", 9, 0.375, "x", NOW)), late)
    assert (outcomes(report), report.worst) == (["late", "equal", "equal"], None)
    alone = events((1, "a", NOW - 4_000, 0.5, "y", True))
    assert outcomes(judged(online((1, "a", 1, 0.5, "y", NOW)), alone)) == ["equal", "equal", "equal"]


def test_what_could_not_be_read_is_an_error() -> None:
    """Though nothing is online for it; its entity is not called missing."""
    rows = online((1, "a", None, None, None, None))
    unreadable = pd.DataFrame({"n": [True], "share": [False], "word": [False]})
    report = judge(VIEW, rows, unreadable, SAID, BOUNDS)
    assert (report.missing, report.features["n"]["error"], report.total("missing")) == (0, 1, 0)
    assert (report.unreadable, told(report)) == (1, 1)
    unknown = judge(VIEW, rows, unreadable, SAID.iloc[:0], BOUNDS)
    assert (unknown.unreadable, unknown.absent, told(unknown)) == (1, 0, 1)
