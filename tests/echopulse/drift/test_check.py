"""Reports on a lake whose talk changed over night, and on one whose talk did not."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from echopulse.cli.main import main
from echopulse.drift.check import Request, check
from echopulse.settings import Settings
from echopulse.settings_sections import Lake, Tracking
from echopulse.tracking.publish import outbox
from tests.echopulse.drift.lakes import ANGRY, CALM, DAY, write_day

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def _evidently() -> None:
    """Skip where a user has not the extra, fail where CI lacks it."""
    if importlib.util.find_spec("evidently") is None:
        reason = "evidently: not installed; make drift-environment installs the extra `drift`"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.mark.usefixtures("_evidently")
def test_what_changed_over_night(tmp_path: Path) -> None:
    """Mood and texts drift, their length does not; three pages and a document wait for MLflow, which is away."""
    lake = tmp_path / "lake"
    write_day(lake, DAY, CALM, 600)
    write_day(lake, DAY + timedelta(days=1), ANGRY, 600)
    settings = Settings(home=tmp_path / "home", lake=Lake(path=str(lake)), tracking=Tracking(uri="http://127.0.0.1:1"))
    lines: list[str] = []
    document, pages = check(settings, Request(DAY + timedelta(days=2), 24, 24, 5_000), lines.append)
    assert {"prediction.toxicity", "prediction.sentiment", "text.text"} <= set(document["drifted"])
    assert not {"data.source", "data.words", "data.emoji", "prediction.abstained"} & set(document["drifted"])
    assert document["failures"] == {}
    assert (document["current"]["rows"], document["reference"]["events"]) == (600, 601)
    assert list(pages) == ["data", "prediction", "text"]
    assert all("<html" in page and "</html>" in page for page in pages.values())
    (waiting,) = outbox(settings).waiting()
    kept = waiting / "files"
    assert {str(path.relative_to(kept)) for path in kept.rglob("*.*")} == {
        *("document.json", "reports/data.html", "reports/prediction.html", "reports/text.html")
    }
    assert json.loads((kept / "document.json").read_bytes())["drifted"] == document["drifted"]
    assert lines[-1].startswith("MLflow at http://127.0.0.1:1 is away: ")


@pytest.mark.usefixtures("_evidently")
def test_days_that_are_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing drifts; the pages are written where they are wanted."""
    for place in range(2):
        write_day(tmp_path / "lake", DAY + timedelta(days=place), CALM, 600)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ECHOPULSE_LAKE__PATH", str(tmp_path / "lake"))
    span = ["--to", "2026-02-02", "--hours", "24", "--reference-hours", "24"]
    assert main(["drift", "check", *span, "--output", "pages", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["drifted"] == []
    assert document["columns"]
    assert sorted(path.name for path in (tmp_path / "pages").iterdir()) == [
        f"{name}.html" for name in ("data", "prediction", "text")
    ]


def test_what_stands_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong numbers, and no Evidently."""
    monkeypatch.chdir(tmp_path)
    assert main(["drift", "check", "--hours", "0"]) == 2
    assert capsys.readouterr().err == ("echopulse: --hours 0 --reference-hours 168 --rows 10000: all are at least 1\n")
    monkeypatch.setitem(sys.modules, "evidently", None)
    assert main(["drift", "check"]) == 1
    assert capsys.readouterr().err == (
        "echopulse: drift check makes its reports with Evidently (make drift-environment)\n"
    )
