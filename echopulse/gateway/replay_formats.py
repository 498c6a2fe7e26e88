"""The forms of file that can be replayed, each with its reader, its look for the newest time and one at its columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from echopulse.gateway.csv_rows import newest_in_csv, read_csv
from echopulse.gateway.jsonl import newest_in_jsonl, read_jsonl
from echopulse.gateway.parquet_rows import newest_in_parquet, read_parquet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from echopulse.gateway.event_time import TimeRange
    from echopulse.gateway.rows import Rows
    from echopulse.gateway.source_file import SourceFile


class Format(NamedTuple):
    """`read(file, mapping)` yields batches of rows; `newest(file, mapping, limits)` finds the newest ts in limits."""

    read: Callable[[SourceFile, Mapping[str, str]], Iterator[Rows]]
    newest: Callable[[SourceFile, Mapping[str, str], TimeRange], int | None]


#: By the `form` of a SourceFile.
FORMATS = {
    "jsonl": Format(read_jsonl, newest_in_jsonl),
    "csv": Format(read_csv, newest_in_csv),
    "parquet": Format(read_parquet, newest_in_parquet),
}


def check_columns(file: SourceFile, mapping: Mapping[str, str]) -> None:
    """Read the first rows of a file, unless that would use them up; `mapping` is from field to column.

    Raises EchoPulseError as `read` does: for a file that cannot be read, or lacks a column.
    """
    if file.rereadable:
        next(FORMATS[file.form].read(file, mapping), None)
