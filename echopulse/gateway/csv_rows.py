"""CSV (RFC 4180, UTF-8, a header line) as rows of events, broken rows isolated with their own bytes."""

from __future__ import annotations

import csv
import io
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from echopulse.gateway.columns import columns_of, json_metadata
from echopulse.gateway.event_time import times
from echopulse.gateway.field_mapping import columns_for
from echopulse.gateway.rows import FIELDS, Faults, Rows
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from echopulse.gateway.event_time import TimeRange
    from echopulse.gateway.source_file import SourceFile

_ROWS_AT_ONCE = 1024
#: A payload of a megabyte with room; an unclosed quote reads no further than this.
_LARGEST_CELL = 4 << 20


class _Row(NamedTuple):
    number: int
    cells: list[str]
    original: bytes
    reason: str


def read_csv(file: SourceFile, mapping: Mapping[str, str]) -> Iterator[Rows]:
    """Read batches of rows, numbered by the line they begin on; `mapping` is from field to column.

    Raises EchoPulseError where the header lacks a column.
    """
    rows = _rows(file)
    header = _header(rows, file.name)
    places = {field: header.index(column) for field, column in columns_for(mapping, header, file.name).items()}
    while batch := list(islice(rows, _ROWS_AT_ONCE)):
        yield _read(batch, places, header)


def csv_rows(originals: Sequence[bytes], header: Sequence[str], mapping: Mapping[str, str], name: str) -> Rows:
    """Read rows, each with its own bytes, of a file that had this header. Raises as `read_csv` does."""
    places = {field: header.index(column) for field, column in columns_for(mapping, header, name).items()}
    rows = []
    for number, original in enumerate(originals, 1):
        try:
            lines = original.decode("utf-8", "surrogateescape").splitlines(keepends=True)
            cells, reason = next(csv.reader(lines, strict=True), []), ""
        except csv.Error as error:
            cells, reason = [], f"not CSV: {error}"
        rows.append(_Row(number, cells, original, reason))
    return _read(rows, places, header)


def newest_in_csv(file: SourceFile, mapping: Mapping[str, str], limits: TimeRange) -> int | None:
    """Return the newest ts in ms UTC within `limits`, None where there is none. Raises as `read_csv` does."""
    rows = _rows(file)
    header = _header(rows, file.name)
    place = header.index(columns_for(mapping, header, file.name)["ts"])
    newest: int | None = None
    while batch := list(islice(rows, _ROWS_AT_ONCE)):
        found = limits.newest_of(
            times([row.cells[place] or None for row in batch if len(row.cells) == len(header)], {})
        )
        newest = max((time for time in (newest, found) if time is not None), default=None)
    return newest


def _header(rows: Iterator[_Row], name: str) -> list[str]:
    first = next(rows, None)
    if first is None:
        raise EchoPulseError(f"{name} is empty", "the first line of a CSV file names its columns")
    return [cell.strip() for cell in first.cells]


def _rows(file: SourceFile) -> Iterator[_Row]:
    """Read row by row with Python's own reader (about 2 us a row).

    Arrow's reader is faster, but gives up the whole block at a bad row and keeps neither a row's bytes nor its line.
    """
    limit = csv.field_size_limit(_LARGEST_CELL)
    source = _Lines(file)
    reader = csv.reader(source, strict=True)
    number = 1
    try:
        while True:
            cells, reason = [], ""
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                # An unclosed quote reaches for lines that are not its own: they are read again without it.
                reason = f"not CSV: {error}"
                source.give_back_all_but_first()
            if cells or reason:
                yield _Row(number, cells, b"".join(source.taken), reason)
            number += len(source.taken)
            source.taken.clear()
    finally:
        csv.field_size_limit(limit)


class _Lines:
    """The lines of a file as text for the csv module; `taken` are the bytes of those it took for the present row."""

    def __init__(self, file: SourceFile) -> None:
        self._lines = (line for block in file.blocks() for line in io.BytesIO(block))
        self._again: deque[bytes] = deque()
        self.taken: list[bytes] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.taken.append(line)
        # A byte that is not UTF-8 becomes half a surrogate pair, which the column of its cell refuses.
        return line.decode("utf-8", "surrogateescape")

    def give_back_all_but_first(self) -> None:
        """Put the lines after the first back, to be read as rows of their own."""
        self._again.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]


def _read(batch: Sequence[_Row], places: Mapping[str, int], header: Sequence[str]) -> Rows:
    faults: Faults = {}
    width = len(header)
    for position, row in enumerate(batch):
        if row.reason:
            faults[position] = ("parse", row.reason)
        elif len(row.cells) != width:
            faults[position] = ("parse", f"{len(row.cells)} cells where the header has {width}")
    empty = [""] * width
    cells = [empty if position in faults else row.cells for position, row in enumerate(batch)]
    by_column = list(zip(*cells, strict=True))
    values: list[Sequence[Any]] = [_column(field, by_column, places) for field in FIELDS]
    values[-1] = [json_metadata(position, text, faults) for position, text in enumerate(values[-1])]
    originals = [row.original for row in batch]
    numbers = [row.number for row in batch]
    return Rows(columns_of(values, faults), numbers, originals.__getitem__, faults, tuple(header))


def _column(field: str, by_column: Sequence[Sequence[str]], places: Mapping[str, int]) -> Sequence[str | None]:
    if field not in places:
        return [None] * len(by_column[0])
    return [cell or None for cell in by_column[places[field]]]
