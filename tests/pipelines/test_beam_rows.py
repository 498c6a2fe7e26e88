"""Feature rows as Beam writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from features.lake.location import LakeLocation
from pipelines.beam_rows import WriteRows, row_batches

if TYPE_CHECKING:
    from pathlib import Path

HOUR_MS = 3_600_000
ROWS = pa.table(
    {"channel_id": ["a", "b", "a"], "n": [1, 2, 3], "event_timestamp": [HOUR_MS - 1, HOUR_MS, 25 * HOUR_MS]}
)


def test_rows_are_parted_by_their_hour() -> None:
    """In UTC; an hour's first moment is its own."""
    found = dict(row_batches("features/v", ROWS))
    assert {folder: rows.column("n").to_pylist() for folder, rows in found.items()} == {
        "features/v/date=1970-01-01/hour=00": [1],
        "features/v/date=1970-01-01/hour=01": [2],
        "features/v/date=1970-01-02/hour=01": [3],
    }
    assert found["features/v/date=1970-01-01/hour=01"].column("event_timestamp").cast(pa.int64()).to_pylist() == [
        HOUR_MS * 1_000_000
    ]


def test_an_hour_is_one_file_however_often_it_is_written(tmp_path: Path) -> None:
    """A worker that does it again leaves the same; times are what the job writes."""
    (folder, rows), *_ = row_batches("features/v", ROWS)
    function = WriteRows(LakeLocation(str(tmp_path)))
    function.setup()
    for _ in range(2):
        assert list(function.process((folder, [rows, rows]))) == [folder]
    (file,) = (tmp_path / folder).iterdir()
    assert pq.read_table(file, partitioning=None).equals(pa.concat_tables([rows, rows]))
    assert pq.read_metadata(file).schema.column(2).physical_type == "INT96"
