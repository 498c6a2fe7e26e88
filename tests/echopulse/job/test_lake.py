"""The lake's tables, read from Parquet as the job writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from echopulse.job.lake import lake_table, standing_events
from echopulse.settings_sections import Lake
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path


def _write(folder: Path, *values: int) -> None:
    folder.mkdir(parents=True)
    pq.write_table(pa.table({"n": pa.array(values, pa.int64())}), folder / "part-0-0")


def test_a_table_is_all_its_hours(tmp_path: Path) -> None:
    """Every file is read, whatever its name; the partition folders are text columns."""
    _write(tmp_path / "events" / "date=2026-01-31" / "hour=07", 1, 2)
    _write(tmp_path / "events" / "date=2026-02-01" / "hour=00", 3)
    table = lake_table(Lake(path=str(tmp_path)), "events")
    assert table is not None
    assert table.count_rows() == 3
    rows = table.to_table(filter=pc.field("hour") == "07").to_pylist()
    assert rows == [{"n": 1, "date": "2026-01-31", "hour": "07"}, {"n": 2, "date": "2026-01-31", "hour": "07"}]


def test_files_in_the_making_are_left_out(tmp_path: Path) -> None:
    """What a sink has not committed yet begins with a dot."""
    _write(tmp_path / "events" / "date=2026-01-31" / "hour=07", 1)
    (tmp_path / "events" / "date=2026-01-31" / "hour=07" / ".part-0-1.inprogress").write_bytes(b"half")
    table = lake_table(Lake(path=str(tmp_path)), "events")
    assert table is not None
    assert table.count_rows() == 1


def test_a_table_that_nobody_wrote_is_none(tmp_path: Path) -> None:
    """Neither a missing folder nor an empty one is an error: the first file may be still to come."""
    (tmp_path / "events").mkdir()
    assert lake_table(Lake(path=str(tmp_path)), "events") is None
    assert lake_table(Lake(path=str(tmp_path)), "features/channel_1m") is None


def test_events_that_stand(tmp_path: Path) -> None:
    """Deletes and what they are about are left out, over all files; only the columns that were asked for come."""
    rows = [("e1", "message", ""), ("e2", "message", ""), ("e3", "delete", "e1")]
    for place, row in enumerate(rows):
        folder = tmp_path / "events" / "date=2026-01-31" / f"hour=0{place}"
        folder.mkdir(parents=True)
        names = ("event_id", "kind", "target")
        columns = {name: [value] for name, value in zip(names, row, strict=True)}
        columns |= {"channel_id": ["c"], "ts": pa.array([place], pa.timestamp("ms"))}
        pq.write_table(pa.table(columns), folder / "part-0-0")
    found = standing_events(Lake(path=str(tmp_path)), ["event_id"])
    assert found is not None
    assert found.to_pydict() == {"event_id": ["e2"]}
    assert standing_events(Lake(path=str(tmp_path / "none")), ["event_id"]) is None


def test_a_file_that_is_no_parquet_is_named_in_one_line(tmp_path: Path) -> None:
    """By its path."""
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "part-0-0").write_text("text")
    with pytest.raises(EchoPulseError, match="events/part-0-0 is no whole Parquet file") as caught:
        lake_table(Lake(path=str(tmp_path)), "events")
    assert "\n" not in str(caught.value)
