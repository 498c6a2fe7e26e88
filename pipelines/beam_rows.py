"""Feature rows as Beam writes them: files of an hour, like those of the stream."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.lake.location import open_lake
from features.machinery.arrow_groups import columns_of, with_columns
from features.machinery.view_spec import EVENT_TIMESTAMP

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from features.lake.location import LakeLocation

_HOUR_MS = 3_600_000
#: Of an hour there is one file; written again, it takes its own place.
_FILE = "part-0.parquet"


def row_batches(table: str, rows: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Yield the rows of each hour, by its folder in the lake, with their times as the job's files have them."""
    (ends,) = columns_of(rows, [EVENT_TIMESTAMP])
    hours = ends.to_numpy() // _HOUR_MS
    rows = with_columns(rows, {EVENT_TIMESTAMP: ends.cast(pa.timestamp("ms")).cast(pa.timestamp("ns"))})
    for hour in np.unique(hours):
        start = datetime.fromtimestamp(int(hour) * _HOUR_MS / 1000, UTC)
        yield f"{table}/{start:date=%Y-%m-%d/hour=%H}", rows.filter(pa.array(hours == hour))


class WriteRows(beam.DoFn):  # type: ignore[misc] # Beam's classes are untyped
    """Folders and their rows in, the folders out, with a file in each: whole or not at all, also if done twice."""

    def __init__(self, lake: LakeLocation) -> None:
        """Keep where the folders lie."""
        self._location = lake

    def setup(self) -> None:
        """Open the lake, once a worker."""
        self._lake = open_lake(self._location)

    def process(self, hour: tuple[str, Iterable[pa.Table]]) -> Iterator[str]:
        """Write an hour. Raises EchoPulseError where the lake cannot be written to."""
        folder, tables = hour
        sink = pa.BufferOutputStream()
        writer = None
        for table in tables:
            if writer is None:
                # Times as INT96, as the job writes them, so that a file is like the others to all.
                writer = pq.ParquetWriter(sink, table.schema, use_deprecated_int96_timestamps=True)
            writer.write_table(table)
        if writer is not None:
            writer.close()
            self._lake.write_whole(folder, _FILE, sink.getvalue().to_pybytes())
        yield folder
