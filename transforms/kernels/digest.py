"""Records of digests: a head of fixed size, then an id, a text and notes, written and found again in joined bytes."""
# ruff: noqa: PLR2004 - UTF-8 is written as its numbers

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from transforms.kernels import BYTES, OFFSETS, compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Bytes of a record's head, and where in it the lengths of id, text and notes stand, 16 bits each, little-endian.
HEAD = 40
_LENGTHS = 32


@compiled(numba.void(BYTES, OFFSETS, numba.int64, numba.int32[::1]))
def cut_lengths(values: NDArray[np.uint8], offsets: NDArray[np.int32], limit: int, lengths: NDArray[np.int32]) -> None:
    """Length in bytes of the longest beginning of each text that has at most `limit` bytes and cuts no character."""
    for row in range(len(offsets) - 1):
        length = offsets[row + 1] - offsets[row]
        if length > limit:
            length = limit
            while length > 0 and values[offsets[row] + length] & 0xC0 == 0x80:
                length -= 1
        lengths[row] = length


@compiled(numba.void(numba.uint8[:, ::1], numba.int64[::1], BYTES, OFFSETS, numba.int32[:, ::1], numba.uint8[::1]))
def write_records(
    heads: NDArray[np.uint8],
    order: NDArray[np.int64],
    values: NDArray[np.uint8],
    offsets: NDArray[np.int32],
    lengths: NDArray[np.int32],
    written: NDArray[np.uint8],
) -> None:
    """Write the records of `order`'s rows one after another.

    `values` holds all ids, then all texts, then all notes; `lengths` [rows, 3] is how much of each is written.
    """
    rows = len(heads)
    out = 0
    for row in order:
        for place in range(HEAD):
            written[out + place] = heads[row, place]
        out += HEAD
        for part in range(3):
            start = offsets[part * rows + row]
            for place in range(lengths[row, part]):
                written[out + place] = values[start + place]
            out += lengths[row, part]


@compiled(numba.int64(BYTES, OFFSETS, numba.int64[::1], numba.int64[::1]))
def index_records(
    values: NDArray[np.uint8], offsets: NDArray[np.int32], segments: NDArray[np.int64], starts: NDArray[np.int64]
) -> int:
    """Find the records of each segment of `values`: their segment and start; return how many there are.

    -1 where a segment does not end with a record.
    """
    count = 0
    for segment in range(len(offsets) - 1):
        position = np.int64(offsets[segment])
        end = np.int64(offsets[segment + 1])
        while position < end:
            if position + HEAD > end:
                return -1
            length = np.int64(HEAD)
            for part in range(3):
                at = position + _LENGTHS + 2 * part
                length += np.int64(values[at]) | np.int64(values[at + 1]) << 8
            if position + length > end:
                return -1
            segments[count] = segment
            starts[count] = position
            count += 1
            position += length
    return count


@compiled(numba.void(BYTES, numba.int64[::1], numba.uint8[:, ::1]))
def read_heads(values: NDArray[np.uint8], starts: NDArray[np.int64], heads: NDArray[np.uint8]) -> None:
    """Copy out the heads of the records at `starts`."""
    for record in range(len(starts)):
        for place in range(HEAD):
            heads[record, place] = values[starts[record] + place]
