"""`echopulse feature check`: what it refuses, how it tells what it found, and how it ends."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import orjson
import pytest

from echopulse.cli import feature_check
from echopulse.cli.main import FAILED, WRONG_USAGE, main
from echopulse.job.check import Checked
from features.machinery.consistency import Disagreement, ViewReport
from features.machinery.outcomes import OUTCOMES
from features.machinery.view_spec import Column, ViewSpec
from schemas.errors import EchoPulseError

GOOD = {"checked": 4, "equal": 4, "mismatch": 0, "missing": 0, "extra": 0, "late": 0, "error": 0}
BAD = GOOD | {"equal": 1, "mismatch": 2, "late": 1}
WORST = Disagreement("user_1m", {"user_id": "u1"}, "repeats", "mismatch", 1_000, None, 1_760_000_400_000)


def found(worst: Disagreement | None) -> Checked:
    """A view of two features."""
    features = {"rate": GOOD, "repeats": BAD if worst else GOOD}
    return Checked(1_760_000_400_000, {"user_1m": ViewReport(10, 4, 1, 0, 1, 0, 2, 12, features, worst, 2, 1, 20)})


def test_what_was_found_in_text() -> None:
    """A line a view and a feature."""
    assert feature_check._text(found(WORST)).splitlines() == [
        "the lake is complete up to 2025-10-09 09:00:00 UTC",
        (
            "user_1m: 4 of 10 rows checked, of them 1 missing, 0 stale; not checked 1 older, 0 unsettled, "
            "2 before_job, 2 absent, 1 unreadable; in their windows 12 late_events"
        ),
        "  20 entities given_up: with theirs the events are too many for the memory",
        "  rate     checked 4, equal 4, mismatch 0",
        "  repeats  checked 4, equal 1, mismatch 2, late 1",
    ]
    assert feature_check._told(WORST) == (
        "user_1m user_id=u1 repeats at 2025-10-09 09:00:00 UTC, mismatch: online 1000, recomputed nothing"
    )


def test_a_feature_without_values_has_no_line() -> None:
    """Nothing was compared, so nothing is told of it; the view's line says how many rows were not checked."""
    checked = found(None)
    view = checked.views["user_1m"]
    nothing = dict.fromkeys(GOOD, 0)
    checked = replace(checked, views={"user_1m": replace(view, features={"rate": GOOD, "repeats": nothing})})
    assert feature_check._text(checked).splitlines()[-1] == "  rate     checked 4, equal 4, mismatch 0"


def test_every_word_is_explained() -> None:
    """The page of the command has each in a table: outcomes of values, and how rows are judged."""
    page = (Path(__file__).parents[3] / "docs" / "consistency.md").read_text(encoding="utf-8")
    rows = {field.name for field in fields(ViewReport)} - {"entities", "features", "worst"}
    assert [word for word in (*OUTCOMES, *sorted(rows)) if f"\n| `{word}` |" not in page] == []


def test_windows_from_before_the_job_are_named() -> None:
    """With the last event that the job before it counted."""
    told = feature_check._text(replace(found(None), earlier_ms=1_760_000_340_000)).splitlines()
    assert told[1] == (
        "the job began without the state of the one before it, which counted events up to 2025-10-09 08:59:00 UTC: "
        "rows of windows that begin before are not checked, 2 before_job"
    )


def test_equal_values_end_well(capsys: pytest.CaptureFixture[str]) -> None:
    """One document with the totals."""
    feature_check.finish(found(None), 7, 3, json=True)
    document = orjson.loads(capsys.readouterr().out)
    assert (document["complete"], document["sample"], document["seed"]) == ("2025-10-09T09:00:00Z", 7, 3)
    assert (document["mismatch"], document["equal"], document["worst"]) == (0, 8, None)
    report = document["views"]["user_1m"]
    assert (report["late_events"], report["given_up"]) == (12, 20)
    parts = ("checked", "older", "unsettled", "before_job", "absent", "unreadable")
    assert report["entities"] == sum(report[part] for part in parts)
    assert (document["earlier_job_until"], document["before_job"]) == (None, 2)


def test_wrong_values_end_it_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    """The document is there all the same."""
    with pytest.raises(EchoPulseError) as caught:
        feature_check.finish(found(WORST), 7, 3, json=True)
    told = feature_check._told(WORST)
    assert str(caught.value) == f"2 values online are not what they should be; the worst: {told}"
    document = orjson.loads(capsys.readouterr().out)
    assert (document["mismatch"], document["equal"]) == (2, 5)
    assert (document["worst"]["entity"], document["worst"]["recomputed"]) == ({"user_id": "u1"}, None)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--sample", "0"], WRONG_USAGE, "--sample 0 is not above 0"),
        (["--at", "noon"], WRONG_USAGE, "--at 'noon' is no time (for example 2026-01-31T08:00Z)"),
        (["--repo", "nowhere"], FAILED, "nowhere: no feature_store.yaml in it"),
    ],
)
def test_what_cannot_work_is_told_in_a_line(
    arguments: list[str],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Before anything is asked."""
    monkeypatch.chdir(tmp_path)
    assert main(["feature", "check", *arguments]) == code
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert said in err


def test_views_are_chosen_by_name() -> None:
    """All where none is named; a name that is not declared is told with the near miss."""
    declared = [ViewSpec(name, (Column("user_id", "string"),), (), ()) for name in ("user_1m", "user_5m")]
    assert feature_check._chosen(declared, ()) == declared
    assert feature_check._chosen(declared, ("user_5m", "user_5m")) == declared[1:]
    with pytest.raises(EchoPulseError) as caught:
        feature_check._chosen(declared, ("user_6m",))
    assert str(caught.value) == "no feature view 'user_6m' (did you mean 'user_5m'?)"
