"""Writes events to a file that `ingest replay` reads: JSONL or Parquet, as fast as they come."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from echopulse.gateway.event_json import json_lines, line_bytes
from schemas.errors import EchoPulseError, UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

STANDARD_OUTPUT = "-"
_JSONL = (".jsonl", ".ndjson")
_PARQUET = (".parquet",)

#: The columns of a file of events, in the names of the SocialEvent JSON form.
FILE_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("ts", pa.timestamp("ms", tz="UTC"), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("channel", pa.string(), nullable=False),
        pa.field("user", pa.string(), nullable=False),
        pa.field("raw", pa.string(), nullable=False),
        pa.field("meta", pa.map_(pa.string(), pa.string()), nullable=False),
    ]
)


class EventWriter(Protocol):
    """Takes batches in schema EVENT."""

    def write(self, events: pa.RecordBatch) -> None:
        """Append a batch."""


class _JsonlWriter:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, events: pa.RecordBatch) -> None:
        self._file.write(line_bytes(json_lines(events)))


class _ParquetEvents:
    def __init__(self, writer: pq.ParquetWriter) -> None:
        self._writer = writer

    def write(self, events: pa.RecordBatch) -> None:
        columns = [column.cast(field.type) for column, field in zip(events.columns, FILE_SCHEMA, strict=True)]
        self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=FILE_SCHEMA))


def check_output(output: str) -> None:
    """Refuse a file whose ending names no form. Raises UsageError with the near miss."""
    known = (*_JSONL, *_PARQUET)
    ending = Path(output).suffix.lower()
    if output != STANDARD_OUTPUT and ending not in known:
        raise UsageError(f"{output} has no ending that tells its form", did_you_mean(ending or output, known))


@contextmanager
def event_writer(output: str) -> Iterator[EventWriter]:
    """Open a file for events: .jsonl, .ndjson, .parquet, or - for JSONL on standard output.

    A file that is there is replaced, when the new one is complete. Raises UsageError for another ending,
    EchoPulseError where it cannot be written.
    """
    check_output(output)
    if output == STANDARD_OUTPUT:
        yield _JsonlWriter(sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    path = Path(output)
    partial = path.with_name(f"{path.name}.partial")
    try:
        if path.suffix.lower() in _JSONL:
            with partial.open("wb") as file:
                yield _JsonlWriter(file)
        else:
            with pq.ParquetWriter(partial, FILE_SCHEMA, compression="zstd") as writer:
                yield _ParquetEvents(writer)
        partial.replace(path)
    except OSError as error:
        raise EchoPulseError(f"{output} cannot be written: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)
