"""Feature rows as Beam writes them: files of an hour, like those of the stream."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.machinery.arrow_groups import columns_of, with_columns
from features.machinery.view_spec import EVENT_TIMESTAMP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from features.lake.location import Lake

_HOUR_MS = 3_600_000


def by_hour(rows: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Yield the rows of each hour by its partition, with their times as the job's files have them."""
    (ends,) = columns_of(rows, [EVENT_TIMESTAMP])
    hours = ends.to_numpy() // _HOUR_MS
    rows = with_columns(rows, {EVENT_TIMESTAMP: ends.cast(pa.timestamp("ms")).cast(pa.timestamp("ns"))})
    for hour in np.unique(hours):
        start = datetime.fromtimestamp(int(hour) * _HOUR_MS / 1000, UTC)
        yield f"{start:date=%Y-%m-%d/hour=%H}", rows.filter(pa.array(hours == hour))


def write_rows(lake: Lake, table: str, rows: pa.Table, part: int) -> None:
    """Write the rows of a part of all keys into a table, a file an hour, each whole or not at all.

    Files are named by the part alone: who does it again leaves the same. Raises EchoPulseError where the lake cannot be
    written to.
    """
    for partition, inside in by_hour(rows):
        sink = pa.BufferOutputStream()
        # Times as INT96, as the job writes them, so that a file is like the others to all.
        pq.write_table(inside, sink, use_deprecated_int96_timestamps=True)
        lake.write_whole(f"{table}/{partition}", f"part-{part}.parquet", sink.getvalue().to_pybytes())
