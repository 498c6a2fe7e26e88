"""Columns of protobuf messages as padded byte matrices: a row's message is its bytes where the mask is set.

Wire format: https://protobuf.dev/programming-guides/encoding. Each cell is preceded by its length in one byte.
Messages are feast.types.Value (int64_val = 4, double_val = 5, string_val = 2) and google.protobuf.Timestamp.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_STRING_TAG, _INT64_TAG, _DOUBLE_TAG = 0x12, 0x20, 0x29
_SECONDS_TAG, _NANOS_TAG = 0x08, 0x10
_NANOS = 1_000_000_000

Bytes = np.ndarray[tuple[int, int], np.dtype[np.uint8]]
Mask = np.ndarray[tuple[int, int], np.dtype[np.bool_]]
Ints = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True)
class Cells:
    """Bytes, one row a message, and which of them belong to the message."""

    bytes: Bytes
    mask: Mask


def varints(values: Ints) -> Cells:
    """Encode integers as base-128 varints; negative ones as their 64-bit two's complement, ten bytes long."""
    unsigned = values.astype(np.uint64)
    largest = int(unsigned.max()) if len(values) else 0
    width = max(1, -(-largest.bit_length() // 7))
    groups = unsigned[:, None] >> (np.arange(width, dtype=np.uint64) * np.uint64(7))[None, :]
    mask = groups > 0
    mask[:, 0] = True
    encoded = (groups & np.uint64(0x7F)).astype(np.uint8)
    encoded[:, :-1] |= np.where(mask[:, 1:], np.uint8(0x80), np.uint8(0))
    return Cells(encoded, mask)


def int_cells(column: pa.Int64Array) -> Cells:
    """Encode int64 values; a null is an empty message."""
    present = _present(column)
    digits = varints(pc.fill_null(column, 0).to_numpy(zero_copy_only=False))
    return _tagged([(_INT64_TAG, digits)], present)


def double_cells(column: pa.DoubleArray) -> Cells:
    """Encode float64 values; a null and NaN are empty messages."""
    values = np.ascontiguousarray(pc.fill_null(column, np.nan).to_numpy(zero_copy_only=False), dtype="<f8")
    digits = Cells(values.view(np.uint8).reshape(len(values), 8), np.ones((len(values), 8), dtype=np.bool_))
    return _tagged([(_DOUBLE_TAG, digits)], ~np.isnan(values))


def timestamp_cells(nanos: Ints) -> Cells:
    """Encode times in ns since the epoch; a part that is 0 is left out, as proto3 does."""
    seconds, rest = np.divmod(nanos, _NANOS)
    pair = [(_SECONDS_TAG, varints(seconds), seconds != 0), (_NANOS_TAG, varints(rest), rest != 0)]
    parts = [(tag, Cells(cells.bytes, cells.mask & present[:, None])) for tag, cells, present in pair]
    return _tagged(parts, np.ones(len(nanos), dtype=np.bool_))


def prefixed_strings(column: pa.StringArray) -> tuple[pa.BinaryArray, pa.BinaryArray]:
    """Encode strings as (length of the message in four bytes and its head, text); a null is an empty message."""
    present = _present(column)
    text = pc.fill_null(column, "").cast(pa.binary())
    sizes = pc.binary_length(text).to_numpy(zero_copy_only=False).astype(np.int64)
    digits = varints(sizes)
    tag = np.full((len(column), 1), _STRING_TAG, dtype=np.uint8)
    head_mask = np.hstack([present[:, None], digits.mask & present[:, None]])
    lengths = (head_mask.sum(axis=1) + sizes).astype("<u4").view(np.uint8).reshape(len(column), 4)
    matrix = np.hstack([lengths, tag, digits.bytes])
    mask = np.hstack([np.ones((len(column), 4), dtype=np.bool_), head_mask])
    offsets = np.zeros(len(column) + 1, dtype=np.int32)
    np.cumsum(mask.sum(axis=1), out=offsets[1:])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(matrix[mask])]
    return pa.BinaryArray.from_buffers(pa.binary(), len(column), buffers), text


def _present(column: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    present: np.ndarray[tuple[int], np.dtype[np.bool_]] = column.is_valid().to_numpy(zero_copy_only=False)
    return present


def _tagged(parts: list[tuple[int, Cells]], present: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Cells:
    """Put each part's tag before it and the length of all before that; absent rows keep only the length, 0."""
    rows = len(present)
    matrix, mask = [], []
    for tag, cells in parts:
        matrix += [np.full((rows, 1), tag, dtype=np.uint8), cells.bytes]
        mask += [cells.mask.any(axis=1, keepdims=True), cells.mask]
    body_mask = np.hstack(mask) & present[:, None]
    lengths = body_mask.sum(axis=1, dtype=np.uint8)[:, None]
    return Cells(np.hstack([lengths, *matrix]), np.hstack([np.ones((rows, 1), dtype=np.bool_), body_mask]))
