"""Rows of features as the job writes them to a folder."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from pathlib import Path

    from features.machinery.view_spec import ViewSchema

_ARROW = {"int64": pa.int64(), "float64": pa.float64(), "string": pa.string()}


def write_rows(
    folder: Path, view: ViewSchema, *rows: tuple[object, ...], written_ms: int = 0, name: str = "part"
) -> None:
    """Write rows (keys, features, end of the window in ms) below `folder/features/VIEW`, by date and hour."""
    columns = [*view.join_keys, *view.features]
    for row in rows:
        end_ms = row[-1]
        assert isinstance(end_ms, int)
        moment = datetime.fromtimestamp(end_ms / 1000, UTC)
        place = folder / "features" / view.name / f"date={moment:%Y-%m-%d}" / f"hour={moment:%H}"
        place.mkdir(parents=True, exist_ok=True)
        arrays = [pa.array([value], _ARROW[column.type]) for value, column in zip(row[:-1], columns, strict=True)]
        # Flink writes nanoseconds without a zone.
        stamp = pa.array([end_ms], pa.timestamp("ms")).cast(pa.timestamp("ns"))
        table = pa.table(
            [*arrays, stamp, pa.array([written_ms], pa.int64())],
            names=[*(column.name for column in columns), "event_timestamp", "written_ms"],
        )
        pq.write_table(table, place / f"{name}-{len(list(place.iterdir()))}.parquet")
