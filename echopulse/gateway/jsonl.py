"""JSONL in the SocialEvent JSON form: one object a line, lines that are none isolated."""

from __future__ import annotations

import re
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from echopulse.gateway.columns import columns_of
from echopulse.gateway.event_time import times
from echopulse.gateway.rows import FIELDS, READ, Faults, Rows
from echopulse.gateway.source_file import MAX_LINE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from echopulse.gateway.event_time import TimeRange
    from echopulse.gateway.source_file import SourceFile

#: The documents of so many lines stay in the processor's cache: measured 2 us a line, 5 us at 5,000 lines.
_LINES_AT_ONCE = 512


def read_jsonl(file: SourceFile, mapping: Mapping[str, str]) -> Iterator[Rows]:
    """Read a batch for each block of the file; blank lines are none. `mapping` is from field to key of the object."""
    keys = [mapping.get(field, field) for field in FIELDS]
    start = 1
    for block in file.blocks():
        lines = block.removesuffix(b"\n").split(b"\n")
        yield _rows(range(start, start + len(lines)), lines, keys)
        start += len(lines)


def json_rows(lines: Sequence[bytes], mapping: Mapping[str, str]) -> Rows:
    """Read objects, each with its own bytes and numbered from 1, as lines of a file; none of them is blank."""
    return _rows(range(1, len(lines) + 1), lines, [mapping.get(field, field) for field in FIELDS])


def _rows(numbers: Sequence[int], lines: Sequence[bytes], keys: Sequence[str]) -> Rows:
    """Parse each line on its own: a bad one stays alone, and its text is at hand.

    One parse of the joined lines is no faster (measured), and Arrow's JSON reader has no type for a payload that is
    text in one line and an object in the next, and crashes the process on the line `null` (pyarrow 16).
    """
    faults: Faults = {}
    try:
        batches = [
            _parsed(lines[start : start + _LINES_AT_ONCE], keys) for start in range(0, len(lines), _LINES_AT_ONCE)
        ]
        columns = pa.Table.from_batches(batches, READ).combine_chunks().to_batches()[0]
    except _UNEVEN:
        numbers, lines = _without_blank_lines(numbers, lines)
        documents = [_document(position, line, faults) for position, line in enumerate(lines)]
        columns = columns_of([[document.get(key) for document in documents] for key in keys], faults)
    return Rows(columns, numbers, lines.__getitem__, faults)


#: Not every line is an object with all fields: one is looked at after the other then.
_UNEVEN = (orjson.JSONDecodeError, KeyError, TypeError)


def _parsed(lines: Sequence[bytes], keys: Sequence[str]) -> pa.RecordBatch:
    """Parse lines that are all objects with all fields. Raises one of _UNEVEN where one is not."""
    values = list(zip(*map(itemgetter(*keys), map(orjson.loads, lines)), strict=True))
    faults: Faults = {}
    batch = columns_of(values, faults)
    if faults:
        raise TypeError("a value that does not fit")
    return batch


def _without_blank_lines(numbers: Sequence[int], lines: Sequence[bytes]) -> tuple[Sequence[int], Sequence[bytes]]:
    kept = [(number, line) for number, line in zip(numbers, lines, strict=True) if line.strip()]
    return [number for number, _ in kept], [line for _, line in kept]


def _document(position: int, line: bytes, faults: Faults) -> dict[str, Any]:
    """Parse one line; what is no object is named in `faults` and comes back empty."""
    if len(line) >= MAX_LINE_BYTES:
        reason = f"the line is longer than {MAX_LINE_BYTES >> 20} MiB; its beginning is kept here"
        faults[position] = ("parse", reason)
        return {}
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        faults[position] = ("parse", f"not JSON: {error.msg} at column {error.colno}")
        return {}
    if not isinstance(document, dict):
        faults[position] = ("parse", f"not a JSON object: {line[:60].decode(errors='replace')}")
        return {}
    return document


def newest_in_jsonl(file: SourceFile, mapping: Mapping[str, str], limits: TimeRange) -> int | None:
    """Return the newest ts in ms UTC within `limits`, None where there is none.

    A pattern finds every value of the key, at any depth (0.4 us a line, a parse costs 2 us); only the line that
    holds the newest is parsed, to see that the value stands at the top.
    """
    key = mapping.get("ts", "ts")
    written = re.compile(rb'%b\s*:\s*"?([^",}]*)' % re.escape(orjson.dumps(key)))
    newest: int | None = None
    for block in file.blocks():
        found = written.findall(block)
        read = times(found, {})
        while (candidate := limits.newest_of(read)) is not None and (newest is None or candidate > newest):
            if _at_the_top(block, found[pc.index(read, candidate).as_py()], key, candidate):
                newest = candidate
            read = pc.if_else(pc.equal(read, candidate), None, read)
    return newest


def _at_the_top(block: bytes, text: bytes, key: str, time_ms: int) -> bool:
    """Say whether a line that holds `text` is an object whose own `key` is that time."""
    position = block.find(text)
    while position >= 0:
        end = block.find(b"\n", position)
        end = len(block) if end < 0 else end
        line = block[block.rfind(b"\n", 0, position) + 1 : end]
        if times([_document(0, line, {}).get(key)], {})[0].as_py() == time_ms:
            return True
        position = block.find(text, end)
    return False
