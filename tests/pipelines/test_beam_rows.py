"""Feature rows as Beam writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from features.lake.location import LakeLocation, open_lake
from pipelines.beam_rows import by_hour, write_rows

if TYPE_CHECKING:
    from pathlib import Path

HOUR_MS = 3_600_000
ROWS = pa.table(
    {"channel_id": ["a", "b", "a"], "n": [1, 2, 3], "event_timestamp": [HOUR_MS - 1, HOUR_MS, 25 * HOUR_MS]}
)


def test_rows_are_parted_by_their_hour() -> None:
    """In UTC; an hour's first moment is its own."""
    found = dict(by_hour(ROWS))
    assert {partition: rows.column("n").to_pylist() for partition, rows in found.items()} == {
        "date=1970-01-01/hour=00": [1],
        "date=1970-01-01/hour=01": [2],
        "date=1970-01-02/hour=01": [3],
    }
    times = found["date=1970-01-01/hour=01"].column("event_timestamp")
    assert times.cast(pa.int64()).to_pylist() == [HOUR_MS * 1_000_000]


def test_a_part_is_a_file_an_hour_however_often_it_is_written(tmp_path: Path) -> None:
    """A worker that does it again leaves the same; times are what the job writes."""
    lake = open_lake(LakeLocation(str(tmp_path)))
    for part in (7, 7, 12):
        write_rows(lake, "features/v", ROWS, part)
    for partition, rows in by_hour(ROWS):
        files = sorted((tmp_path / "features" / "v" / partition).iterdir())
        assert [file.name for file in files] == ["part-12.parquet", "part-7.parquet"]
        assert pq.read_table(files[0], partitioning=None).equals(rows)
        assert pq.read_metadata(files[1]).schema.column(2).physical_type == "INT96"
