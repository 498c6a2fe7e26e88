"""Spans of text in joined UTF-8 bytes: tags by their shape, whole words, overlaps resolved, surfaces copied out."""
# ruff: noqa: PLR2004 - one scanner a kernel, and UTF-8 is written as its numbers

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from transforms.kernels import BYTES, OFFSETS, compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HASH, _DOLLAR, _AT = 35, 36, 64
_LONGEST_CASHTAG = 6


@compiled()
def letter_length(values: NDArray[np.uint8], position: int, high: int) -> int:
    """Length in bytes of the letter, digit or underscore at `position`, 0 for anything else.

    Beyond ASCII the blocks decide: U+00C0 to U+1FFF and U+3040 to U+DFFF are letters, symbols and emoji are not.
    """
    byte = values[position]
    if byte < 128:
        return 1 if 97 <= byte <= 122 or 65 <= byte <= 90 or 48 <= byte <= 57 or byte == 95 else 0
    if byte < 0xC3 or byte == 0xE2 or byte >= 0xEE:
        return 0
    if byte < 0xE0:
        return 2
    if byte == 0xE3 and position + 1 < high and values[position + 1] == 0x80:
        return 0
    return 3


@compiled()
def follows_letter(values: NDArray[np.uint8], low: int, position: int) -> bool:
    """Whether the character before `position`, not before `low`, is a letter, digit or underscore."""
    before = position - 1
    while before > low and values[before] & 0xC0 == 0x80:
        before -= 1
    return before >= low and letter_length(values, before, position) > 0


@compiled(numba.int64(BYTES, OFFSETS, numba.int64[::1], numba.int64[::1], numba.int64[::1]))
def find_tags(
    values: NDArray[np.uint8],
    offsets: NDArray[np.int32],
    rows: NDArray[np.int64],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> int:
    """Find #hashtags with a letter in them, $CASHTAGS of 1 to 6 letters and @mentions: row, start and end of each.

    Returns how many there are, at most as many as the output holds.
    """
    count = 0
    for row in range(len(offsets) - 1):
        low = offsets[row]
        high = offsets[row + 1]
        position = low
        while position < high and count < len(rows):
            sigil = values[position]
            if sigil not in (_HASH, _DOLLAR, _AT) or follows_letter(values, low, position):
                position += 1
                continue
            end = position + 1
            letters = 0
            others = 0
            while end < high:
                length = letter_length(values, end, high)
                if length == 0:
                    break
                if length > 1 or values[end] > 57:
                    letters += 1
                else:
                    others += 1
                end += length
            if sigil == _HASH:
                taken = letters > 0
            elif sigil == _DOLLAR:
                taken = 0 < letters <= _LONGEST_CASHTAG and others == 0 and end - position == letters + 1
            else:
                taken = letters + others > 0
            if taken:
                rows[count] = row
                starts[count] = position
                ends[count] = end
                count += 1
            position = end
    return count


@compiled(numba.void(BYTES, OFFSETS, numba.int64[::1], numba.int64[::1], numba.int64[::1], numba.boolean[::1]))
def whole_words(
    values: NDArray[np.uint8],
    offsets: NDArray[np.int32],
    rows: NDArray[np.int64],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    whole: NDArray[np.bool_],
) -> None:
    """Say of each span whether it lies in its row and begins and ends at the border of a word."""
    for span in range(len(rows)):
        low = offsets[rows[span]]
        high = offsets[rows[span] + 1]
        inside = low <= starts[span] and ends[span] <= high
        whole[span] = (
            inside
            and not (letter_length(values, starts[span], high) > 0 and follows_letter(values, low, starts[span]))
            and (ends[span] == high or letter_length(values, ends[span], high) == 0)
        )


@compiled(numba.void(numba.int64[::1], numba.int64[::1], numba.boolean[::1]))
def leftmost_longest(starts: NDArray[np.int64], ends: NDArray[np.int64], kept: NDArray[np.bool_]) -> None:
    """Of spans sorted by start, the longer first, keep each that begins at or after the end of the last one kept."""
    end = np.int64(-1)
    for span in range(len(starts)):
        kept[span] = starts[span] >= end
        if kept[span]:
            end = ends[span]


@compiled(numba.void(BYTES, numba.int64[::1], numba.int64[::1], numba.uint8[::1]))
def copy_spans(
    values: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64], copied: NDArray[np.uint8]
) -> None:
    """Copy the bytes of each span, one after another."""
    out = 0
    for span in range(len(starts)):
        for position in range(starts[span], ends[span]):
            copied[out] = values[position]
            out += 1
