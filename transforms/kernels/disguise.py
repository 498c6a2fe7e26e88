"""Disguised words read as what they were meant for: look-alike letters, and digits and signs for letters."""
# ruff: noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917, PLR2004 - kernels are single loops, and UTF-8 is written as its numbers

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from transforms.confusables import EXTENDED, LEET, POINTS, RESEMBLING
from transforms.kernels import compiled
from transforms.kernels.leetspeak import read_leet
from transforms.kernels.readings import MAX_WORD, best_reading, is_letter

if TYPE_CHECKING:
    from numpy.typing import NDArray


@compiled()
def _script(point: int) -> int:
    """Return a bit for the script of a look-alike: Greek, Cyrillic, Armenian, Coptic, Latin."""
    if 0x370 <= point < 0x400:
        return 1
    if 0x400 <= point < 0x530:
        return 2
    if 0x530 <= point < 0x590:
        return 4
    return 8 if 0x2C80 <= point < 0x2D00 else 16


@compiled()
def read_word(
    values: NDArray[np.uint8],
    low: int,
    high: int,
    latin: bool,  # noqa: FBT001 - numba takes no keywords here
    table: NDArray[np.uint8],
    keys: NDArray[np.uint64],
    held: NDArray[np.int32],
    written: NDArray[np.uint8],
    out: int,
) -> int:
    """Write values[low:high], undisguised where it is disguised, into `written` from `out` on; return where it ends.

    `latin` says that the text around is mostly in ASCII letters: then a word wholly of look-alikes is read too.
    """
    options = np.zeros((MAX_WORD, 4), np.uint8)
    source = np.zeros(MAX_WORD, np.uint8)
    letters = np.zeros(MAX_WORD, np.uint8)
    length = 0
    plain = 0
    signs = 0
    scripts = 0
    foreign = 0
    resembling = 0
    extended = 0
    position = low
    while position < high and length < MAX_WORD:
        byte = values[position]
        point = byte
        size = 1
        if byte >= 0xF0:
            break
        if byte >= 0xE0:
            size = 3
            point = (byte & 0x0F) << 12 | (values[position + 1] & 0x3F) << 6
            point |= values[position + 2] & 0x3F
        elif byte >= 0xC0:
            size = 2
            point = (byte & 0x1F) << 6 | values[position + 1] & 0x3F
        if point >= POINTS:
            break
        if size == 1:
            source[length] = byte
        if is_letter(byte):
            options[length, 1] = byte
            plain += 1
        elif table[point, 0] == 0:
            break
        else:
            for index in range(4):
                options[length, index] = table[point, index]
            if table[point, 0] == LEET:
                signs += 1
            else:
                foreign += 1
                resembling += table[point, 0] == RESEMBLING
                extended += table[point, 0] == EXTENDED
                scripts |= _script(point)
        length += 1
        position += size
    disguised = False
    if position == high:
        if foreign > 0:
            known = best_reading(options, length, letters, keys, held) != 0
            if extended == foreign:
                disguised = known and plain > 0 and length > 3
            elif plain > 0 or scripts & (scripts - 1) != 0:
                disguised = known or 2 * resembling <= plain + foreign
            else:
                disguised = latin and resembling == 0 and signs == 0 and length > 1
            if disguised and not known:
                for index in range(length):
                    if options[index, 0] == LEET:
                        letters[index] = source[index]
        elif signs > 0 and plain > 0:
            disguised = read_leet(options, source, length, plain, letters, keys, held)
    if disguised:
        for index in range(length):
            written[out + index] = letters[index]
        return out + length
    for index in range(low, high):
        written[out + index - low] = values[index]
    return out + high - low
