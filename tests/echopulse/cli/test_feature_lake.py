"""`echopulse feature compact`: what became of each table's files, and why the others were left."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from echopulse.cli.main import main
from tests.features.lake.lakes import HOUR, folder_lake, write

if TYPE_CHECKING:
    from pathlib import Path

    from features.lake.location import Lake


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """Return the lake of the settings, a folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ECHOPULSE_LAKE__PATH", str(tmp_path / "lake"))
    return folder_lake(tmp_path / "lake")


def _said(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert main(["feature", "compact", *arguments]) == 0
    return capsys.readouterr().out.splitlines()


def test_no_tables(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing has been written."""
    assert _said(capsys) == [f"{lake.root}: no tables yet"]


def test_merged(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    """How many files there were and are."""
    write(lake, "part-0", {"n": [1]})
    write(lake, "part-1", {"n": [2]})
    assert _said(capsys) == ["events: 2 files, now 1"]
    assert _said(capsys) == ["events: 1 file, nothing merged: 1 alone in their hour"]


def test_hours_that_have_not_ended(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    """As after a first `up`, and nothing is deleted where no policy says so."""
    write(lake, "part-0", {"n": [1]})
    write(lake, "part-1", {"n": [2]})
    assert _said(capsys, "--before", "2026-01-31T07:30Z", "--retain") == [
        "nothing deleted: lake.retention_days names no table that is there",
        "events: 2 files, nothing merged: 2 of hours that end after 2026-01-31 07:30 UTC",
    ]


def test_files_that_are_young_or_large(
    lake: Lake, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restart of the job looks for the files of its last checkpoints; ten of them, of five seconds each."""
    for name in ("part-0", "part-1", "part-2"):
        write(lake, name, {"n": [1]})
    (tmp_path / "lake" / "events" / HOUR / "part-2").touch()
    young = "1 younger than 50 s, which a restart of the job may look for"
    assert _said(capsys) == [f"events: 3 files, now 2: {young}"]
    monkeypatch.setattr("features.lake.compaction.LARGE_BYTES", 1 << 20)
    write(lake, "part-3", {"n": range(500_000)})
    assert _said(capsys) == [f"events: 3 files, nothing merged: {young}, 1 of 1 MiB or more, 1 alone in their hour"]


def test_retention(lake: Lake, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What a policy deleted is told by table."""
    monkeypatch.setenv("ECHOPULSE_LAKE__RETENTION_DAYS", '{"events": 1}')
    write(lake, "part-0", {"n": [1]})
    before, events = _said(capsys, "--retain")[0].removesuffix(" deleted"), "events: 1 row before "
    assert before.startswith(events)
    assert datetime.strptime(before.removeprefix(events), "%Y-%m-%d %H:%M").replace(tzinfo=UTC) < datetime.now(UTC)
