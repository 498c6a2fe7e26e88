from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.job.backfill_record import FOLDER, DayDone, Record, clear_staging, events_per_second, load, save
from features.lake.location import LakeLocation, open_lake
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path

DAY = DayDone("2026-01-31", 1_000, {"v": 7}, 3, 2, 4.0)


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Days and all; one that was never written is none."""
    lake = open_lake(LakeLocation(str(tmp_path / "lake")))
    assert load(lake, "a") is None
    assert events_per_second(lake) is None
    record = Record("a", "x", "y", {DAY.day: DAY}, finished=True)
    save(lake, record)
    save(lake, record)
    assert load(lake, "a") == record
    assert events_per_second(lake) == 250


def test_a_damaged_record_is_told(tmp_path: Path) -> None:
    """By its path."""
    lake = open_lake(LakeLocation(str(tmp_path)))
    save(lake, Record("a", "x", "y"))
    path = tmp_path / FOLDER / "a.json"
    path.write_text("{}", "utf-8")
    with pytest.raises(EchoPulseError) as told:
        load(lake, "a")
    assert str(told.value) == f"{path} is no record of a backfill: 'days' (remove it)"


def test_staging_is_cleared_and_records_stay(tmp_path: Path) -> None:
    """Whatever backfill left it."""
    lake = open_lake(LakeLocation(str(tmp_path)))
    clear_staging(lake)
    save(lake, Record("a", "x", "y"))
    (tmp_path / FOLDER / "b-1" / "features").mkdir(parents=True)
    (tmp_path / FOLDER / "b-1" / "features" / "part").touch()
    clear_staging(lake)
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == ["a.json"]
