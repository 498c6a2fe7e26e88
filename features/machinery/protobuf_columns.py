"""Columns of protobuf messages as Arrow columns: the inverse of `protobuf_cells`, whole columns at a time."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.errors import EchoPulseError

_STRING_TAG, _INT64_TAG, _DOUBLE_TAG = 0x12, 0x20, 0x29
_SECONDS_TAG, _NANOS_TAG = 0x08, 0x10
_DOUBLE_SIZE = 8
_LONGEST_VARINT = 10
_NANOS = 1_000_000_000

Ints = np.ndarray[tuple[int], np.dtype[np.int64]]
Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]


class _Bytes:
    """The bytes of a binary column and where each value begins and ends; a null is as an empty value."""

    def __init__(self, column: pa.BinaryArray) -> None:
        filled = pc.fill_null(column, b"")
        offsets = np.frombuffer(filled.buffers()[1], dtype=np.int32)[filled.offset :][: len(filled) + 1]
        data, first, last = filled.buffers()[2], int(offsets[0]), int(offsets[-1])
        self.start: Ints = offsets[:-1].astype(np.int64) - first
        self.end: Ints = offsets[1:].astype(np.int64) - first
        # One byte of padding: a position at the very end may be looked at, and its value ignored.
        self.data = np.append(np.frombuffer(data or b"", dtype=np.uint8)[first:last], np.uint8(0))

    @property
    def present(self) -> Flags:
        return self.end > self.start

    def at(self, position: Ints) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
        found: np.ndarray[tuple[int], np.dtype[np.uint8]] = self.data[np.minimum(position, len(self.data) - 1)]
        return found

    def varint(self, position: Ints, wanted: Flags) -> tuple[Ints, Ints]:
        """Read a varint from each wanted position; return the values and the positions behind them."""
        value, going, position = np.zeros(len(position), np.uint64), wanted.copy(), position.copy()
        for place in range(_LONGEST_VARINT):
            byte = self.at(position)
            value[going] |= (byte[going] & np.uint64(0x7F)) << np.uint64(7 * place)
            position[going] += 1
            going &= byte >= 0x80  # noqa: PLR2004 the continuation bit
            if not going.any():
                break
        return value.view(np.int64), position

    def expect(self, tag: int, wanted: str) -> Flags:
        """Return which values are present. Raises EchoPulseError where one has another type."""
        present = self.present
        if (self.at(self.start)[present] != tag).any():
            raise EchoPulseError(
                f"a stored value is no {wanted}", "the view's declaration changed; write its values anew"
            )
        return present


def int_column(column: pa.BinaryArray) -> pa.Int64Array:
    """Decode feast Values that hold int64. Raises EchoPulseError for a value of another type."""
    cells = _Bytes(column)
    present = cells.expect(_INT64_TAG, "int64")
    values, _ = cells.varint(cells.start + 1, present)
    return pa.array(values, pa.int64(), mask=~present)


def double_column(column: pa.BinaryArray) -> pa.DoubleArray:
    """Decode feast Values that hold double. Raises EchoPulseError for a value of another type."""
    cells = _Bytes(column)
    present = cells.expect(_DOUBLE_TAG, "float64")
    raw = np.zeros((len(column), _DOUBLE_SIZE), dtype=np.uint8)
    raw[present] = cells.data[cells.start[present, None] + 1 + np.arange(_DOUBLE_SIZE)]
    return pa.array(raw.view("<f8").reshape(-1), pa.float64(), mask=~present)


def string_column(column: pa.BinaryArray) -> pa.StringArray:
    """Decode feast Values that hold text. Raises EchoPulseError for a value of another type."""
    cells = _Bytes(column)
    present = cells.expect(_STRING_TAG, "string")
    _, behind = cells.varint(cells.start + 1, present)
    begin = np.where(present, behind, cells.start)
    keep = np.ones(len(cells.data), dtype=np.bool_)
    keep[-1] = False
    for place in range(_LONGEST_VARINT):  # strike out the head, byte by byte
        head = cells.start + place
        keep[head[head < begin]] = False
    offsets = np.zeros(len(column) + 1, dtype=np.int32)
    np.cumsum(cells.end - begin, out=offsets[1:])
    texts = pa.BinaryArray.from_buffers(
        pa.binary(), len(column), [None, pa.py_buffer(offsets), pa.py_buffer(cells.data[keep])]
    )
    return pc.if_else(pa.array(present), texts, pa.scalar(None, pa.binary())).cast(pa.string())


def timestamp_column(column: pa.BinaryArray) -> pa.TimestampArray:
    """Decode protobuf Timestamps to ns, UTC; null where there is none."""
    cells = _Bytes(column)
    position, parts = cells.start, []
    for tag in (_SECONDS_TAG, _NANOS_TAG):
        here = (position < cells.end) & (cells.at(position) == tag)
        value, position = cells.varint(np.where(here, position + 1, position), here)
        parts.append(np.where(here, value, 0))
    valid = pc.is_valid(column).to_numpy(zero_copy_only=False)
    return pa.array(parts[0] * _NANOS + parts[1], pa.timestamp("ns", "UTC"), mask=~valid)
