"""Clean-up of lower-case UTF-8 text, in one pass over the bytes."""
# ruff: noqa: C901, PLR0911, PLR0912, PLR0915, PLR2004 - kernels are single loops, and UTF-8 is written as its numbers

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from transforms.kernels import BYTES, OFFSETS, compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Repeats of a character that are kept.
MAX_RUN = 2
#: Stands for several spaces until the last pass, since these part words that are written letter by letter.
WIDE_SPACE = 10


@compiled()
def invisible(values: NDArray[np.uint8], position: int, high: int) -> int:
    """Length in bytes of the zero-width character or combining mark at `position`, 0 where there is none.

    Marks that NFKC composes are in their letters by now; the box of a keycap (U+20E3) is no mark here.
    """
    byte = values[position]
    if position + 1 < high and byte == 0xC2 and values[position + 1] == 0xAD:
        return 2  # soft hyphen
    if position + 1 < high and (byte == 0xCC or (byte == 0xCD and values[position + 1] <= 0xAF)):
        return 2  # combining diacritical marks
    if position + 1 < high and byte == 0xD8 and values[position + 1] == 0x9C:
        return 2  # Arabic letter mark
    if position + 2 >= high:
        return 0
    second = values[position + 1]
    third = values[position + 2]
    if byte == 0xE2:
        if second == 0x80 and (0x8B <= third <= 0x8F or 0xAA <= third <= 0xAE):
            return 3  # zero-width space, (non-)joiner, direction marks and embeddings
        if second == 0x81 and 0xA0 <= third <= 0xAF:
            return 3  # word joiner, invisible operators, isolates
        if second == 0x83 and 0x90 <= third <= 0xB0 and third != 0xA3:
            return 3  # combining marks for symbols
    if byte == 0xE1 and (
        (second == 0xA0 and third == 0x8E)
        or (second in (0xAA, 0xAB) and (third >= 0xB0 or second == 0xAB))
        or (second == 0xB7 and third >= 0x80)
        or (second == 0x85 and third in (0x9F, 0xA0))
    ):
        return 3  # Mongolian vowel separator, combining marks extended and supplement, Hangul fillers
    if byte == 0xEF and (
        (second == 0xBB and third == 0xBF) or (second == 0xB8 and (third <= 0x8F or 0xA0 <= third <= 0xAF))
    ):
        return 3  # byte order mark, variation selectors, combining half marks
    if byte == 0xF3 and second == 0xA0 and position + 3 < high:
        return 4  # tags, further variation selectors
    return 0


@compiled()
def _word_byte(byte: int) -> bool:
    return byte >= 128 or 97 <= byte <= 122 or 48 <= byte <= 57 or byte == 95


@compiled()
def begins_url(values: NDArray[np.uint8], position: int, high: int) -> bool:
    """Whether http://, https:// or www. begins at `position`."""
    if high - position < 5:
        return False
    if values[position] == 119:
        return bool(values[position + 1] == 119 and values[position + 2] == 119 and values[position + 3] == 46)
    if values[position + 1] != 116 or values[position + 2] != 116 or values[position + 3] != 112:
        return False
    colon = position + (5 if values[position + 4] == 115 else 4)
    return bool(colon + 2 < high and values[colon] == 58 and values[colon + 1] == 47 and values[colon + 2] == 47)


@compiled()
def _three_ones(cleaned: NDArray[np.uint8], begin: int, out: int, values: NDArray[np.uint8], after: int) -> bool:
    """Whether a third 1 ends a word behind a letter, or a + behind one: they are read as ill (still, will)."""
    if after < len(values) and _word_byte(values[after]):
        return False
    before = out - 3
    if before > begin and cleaned[before] == 43:
        before -= 1
    return before >= begin and 97 <= cleaned[before] <= 122


@compiled()
def _clean(values: NDArray[np.uint8], low: int, high: int, cleaned: NDArray[np.uint8], begin: int) -> int:
    """Clean values[low:high] into `cleaned` from `begin` on; return where it ends."""
    out = begin
    position = low
    border = True
    last = begin
    last_length = 0
    run = 0
    while position < high:
        byte = values[position]
        if byte <= 32 or byte == 127:
            if out > begin and cleaned[out - 1] > 32:
                cleaned[out] = 32
                out += 1
                last_length = 0
            elif out > begin:
                cleaned[out - 1] = WIDE_SPACE
            border = True
            position += 1
            continue
        if border:
            if byte in (104, 119) and begins_url(values, position, high):
                while position < high and values[position] > 32:
                    position += 1
                cleaned[out] = 58
                cleaned[out + 1] = 47
                cleaned[out + 2] = 47
                out += 3
                last_length = 0
                continue
            sign = position > low and values[position - 1] == 36
            if position - 2 >= low and values[position - 1] in (43, 124):
                sign = _word_byte(values[position - 2])
            if byte == 64 and not sign and position + 1 < high and _word_byte(values[position + 1]):
                end = position + 1
                while end < high and _word_byte(values[end]):
                    end += 1
                # Between signs it is a letter of a disguised word: |@s+.
                amid = position > low and values[position - 1] in (43, 124) and end < high and values[end] in (36, 43)
                if not amid:
                    position = end
                    cleaned[out] = 64
                    out += 1
                    last_length = 0
                    continue
        if byte < 128:
            border = not _word_byte(byte)
            run = run + 1 if last_length == 1 and cleaned[last] == byte else 1
            last_length = 1
            position += 1
            third = byte == 49 and run == 3 and _three_ones(cleaned, begin, out, values[:high], position)
            if run <= MAX_RUN or third:
                last = out
                cleaned[out] = byte
                out += 1
            continue
        skipped = invisible(values, position, high)
        if skipped:
            position += skipped
            continue
        border = False
        length = 1
        while position + length < high and values[position + length] & 0xC0 == 0x80:
            length += 1
        same = length == last_length
        for step in range(length):
            same = same and cleaned[last + step] == values[position + step]
        run = run + 1 if same else 1
        if run <= MAX_RUN:
            last = out
            last_length = length
            for step in range(length):
                cleaned[out + step] = values[position + step]
            out += length
        position += length
    return out - 1 if out > begin and cleaned[out - 1] <= 32 else out


@compiled(numba.void(BYTES, OFFSETS, numba.uint8[::1], numba.int32[::1]))
def clean(
    values: NDArray[np.uint8],
    offsets: NDArray[np.int32],
    cleaned: NDArray[np.uint8],
    cleaned_offsets: NDArray[np.int32],
) -> None:
    """Clean each text into `cleaned`.

    A URL becomes `://` and a mention `@`, a run of one character is cut to two (st111 keeps three), white space and
    controls to one space (WIDE_SPACE where there were several), zero-width characters and marks vanish; never longer
    than the input.
    """
    out = 0
    cleaned_offsets[0] = 0
    for row in range(len(offsets) - 1):
        out = _clean(values, offsets[row], offsets[row + 1], cleaned, out)
        cleaned_offsets[row + 1] = out


@compiled(numba.void(BYTES, OFFSETS, numba.boolean[::1]))
def mark_ascii(values: NDArray[np.uint8], offsets: NDArray[np.int32], ascii_only: NDArray[np.bool_]) -> None:
    """Say of each text whether all its bytes are ASCII."""
    for row in range(len(offsets) - 1):
        seen = np.uint8(0)
        for position in range(offsets[row], offsets[row + 1]):
            seen |= values[position]
        ascii_only[row] = seen < 128


@compiled(numba.void(numba.int64[::1], numba.uint8[::1]))
def write_hex(numbers: NDArray[np.int64], digits: NDArray[np.uint8]) -> None:
    """Write each number as 16 hexadecimal digits."""
    for row in range(len(numbers)):
        number = np.uint64(numbers[row])
        for place in range(16):
            nibble = (number >> np.uint64(60 - 4 * place)) & np.uint64(15)
            digits[row * 16 + place] = nibble + np.uint64(48) if nibble < 10 else nibble + np.uint64(87)
