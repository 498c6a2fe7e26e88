"""Parquet as rows of events, read a few thousand rows at a time."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from echopulse.gateway.field_mapping import columns_for
from echopulse.gateway.parquet_columns import check_types, column_of, original_row
from echopulse.gateway.rows import FIELDS, READ, Faults, Rows
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from echopulse.gateway.event_time import TimeRange
    from echopulse.gateway.source_file import SourceFile

_ROWS_AT_ONCE = 8192


def read_parquet(file: SourceFile, mapping: Mapping[str, str]) -> Iterator[Rows]:
    """Read batches of rows, numbered from 1; `mapping` is from field to column.

    Raises EchoPulseError where it is no Parquet file, breaks off, or has no fitting column for a field.
    """
    with _opened(file) as parquet:
        found = columns_for(mapping, parquet.schema_arrow.names, file.name)
        check_types(found, parquet.schema_arrow, file.name)
        done = 0
        for batch in parquet.iter_batches(_ROWS_AT_ONCE, columns=list(dict.fromkeys(found.values()))):
            yield _rows(batch, found, done)
            done += batch.num_rows
            file.position = file.size * done // parquet.metadata.num_rows


def newest_in_parquet(file: SourceFile, mapping: Mapping[str, str], limits: TimeRange) -> int | None:
    """Return the newest ts in ms UTC within `limits`, None where there is none. Raises as `read_parquet` does."""
    newest: int | None = None
    with _opened(file) as parquet:
        found = columns_for(mapping, parquet.schema_arrow.names, file.name)
        check_types(found, parquet.schema_arrow, file.name)
        for batch in parquet.iter_batches(_ROWS_AT_ONCE, columns=[found["ts"]]):
            latest = limits.newest_of(column_of("ts", batch.column(0), {}))
            newest = max((time for time in (newest, latest) if time is not None), default=None)
    return newest


@contextmanager
def _opened(file: SourceFile) -> Iterator[pq.ParquetFile]:
    try:
        with pq.ParquetFile(file.path, pre_buffer=False) as parquet:
            yield parquet
    except (OSError, pa.ArrowException) as error:
        raise EchoPulseError(f"{file.name} cannot be read as Parquet: {error}") from error


def _rows(batch: pa.RecordBatch, found: Mapping[str, str], done: int) -> Rows:
    faults: Faults = {}
    arrays = [
        column_of(field, batch.column(found[field]), faults) if field in found else _absent(field, batch.num_rows)
        for field in FIELDS
    ]
    numbers = range(done + 1, done + batch.num_rows + 1)
    return Rows(pa.RecordBatch.from_arrays(arrays, schema=READ), numbers, partial(original_row, batch), faults)


def _absent(field: str, rows: int) -> pa.Array:
    if field == "meta":
        return pa.array([[]] * rows, READ.field(field).type)
    return pa.nulls(rows, READ.field(field).type)
