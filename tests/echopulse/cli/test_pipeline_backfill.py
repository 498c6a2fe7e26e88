from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from echopulse.cli.main import main
from echopulse.cli.pipeline_backfill import _done_text, _duration, _plan_text, _progress_text, _shown
from echopulse.job.backfill import Progress

if TYPE_CHECKING:
    from pathlib import Path

SPAN = ["--from", "2026-01-30", "--to", "2026-02-01"]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--from", "noon", "--to", "2026-02-01"], "--from 'noon' is no time (for example 2026-01-31T08:00Z)"),
        (["--from", "2026-02-01", "--to", "2026-01-01"], "--from 2026-02-01T00:00:00Z is not before --to 2026-01-01T"),
        ([*SPAN, "--model", "cascade"], "--model cascade asks what a candidate would have said"),
        ([*SPAN, "--engine", "baem"], "no engine is called 'baem' (did you mean 'beam'?)"),
        ([*SPAN, "--engine", "beam", "--here"], "--here is for Flink (Beam runs where its runner is: --beam-option r"),
        (
            [*SPAN, "--beam-option", "runner=SparkRunner"],
            "--beam-option runner=SparkRunner is for Beam (--engine beam)",
        ),
        (["--from", "2026-02-01"], "requires an argument"),
    ],
)
def test_wrong_usage(arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2 and one line, before anything is opened."""
    assert main(["pipeline", "backfill", *arguments]) == 2
    told = capsys.readouterr().err
    assert line in told
    assert told.count("\n") == 1


def test_a_lake_without_events_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also by a dry run; exit 1."""
    monkeypatch.setenv("ECHOPULSE_LAKE__PATH", str(tmp_path / "lake"))
    assert main(["pipeline", "backfill", *SPAN, "--dry-run"]) == 1
    events = tmp_path / "lake" / "events"
    assert capsys.readouterr().err == f"echopulse: {events} holds no events (--source names another lake)\n"


def test_what_a_person_reads() -> None:
    """Plan, progress and result."""
    day = {"day": "2026-01-30", "events": 1_000, "bytes": 2_000_000, "done": True}
    plan = {"days": [day], "events": 0, "estimated_seconds": None}
    assert _plan_text(plan) == (
        "2026-01-30: 1,000 events, 2.0 MB, done\n0 events to do; time: unknown until a first backfill has run"
    )
    assert _plan_text(plan | {"estimated_seconds": 61}).endswith("time: about 1 min 1 s")
    assert _progress_text(Progress("d", 1, 2, "computing", 0.4, None)) == "day d (1 of 2): computing"
    assert _progress_text(Progress("d", 2, 2, "x", 0, 7_260)) == "day d (2 of 2): x, about 2 h 1 min left"
    assert _progress_text(Progress("d", 2, 2, "x", 61, 9)) == "day d (2 of 2): x, 1 min 1 s so far, about 9 s left"
    done: dict[str, Any] = {"days": [], "skipped_days": ["a", "b"]}
    assert _done_text(done) == "done already, 2 days; --again does it once more"
    done = {
        "days": [day],
        "rows": {"v": 1_234},
        "events": 5_678,
        "published": 1_234,
        "replaced": 1_200,
        "online_written": 3,
        "seconds": 9,
    }
    assert _done_text(done) == ("v: 1,234 rows\n5,678 events read, 1,234 rows in the place of 1,200, 3 online, in 9 s")
    assert _duration(59.6) == "1 min 0 s"


def test_each_step_of_a_day_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is no terminal: what comes before the first day, then each step, the hours of a view as one.

    A step that lasts is told every half minute.
    """
    hours = [f"features/v/date=2026-01-30/hour=0{hour}" for hour in range(2)]
    with _shown() as on_progress:
        for seconds in (0, 0.5, 29.9, 30, 59, 60.5):
            on_progress(Progress("2026-01-30", 1, 2, "computing", seconds, 90 - seconds))
        for seconds, what in enumerate(hours, 61):
            on_progress(Progress("2026-01-30", 1, 2, what, seconds, None))
        on_progress(Progress("2026-01-31", 2, 2, "computing", 0, 61))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "reading the views and the lake",
        "day 2026-01-30 (1 of 2): computing, about 1 min 30 s left",
        "day 2026-01-30 (1 of 2): computing, 30 s so far, about 1 min 0 s left",
        "day 2026-01-30 (1 of 2): computing, 1 min 0 s so far, about 30 s left",
        "day 2026-01-30 (1 of 2): features/v",
        "day 2026-01-31 (2 of 2): computing, about 1 min 1 s left",
    ]
