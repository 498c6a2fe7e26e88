"""Count emoji in UTF-8 text: a joined sequence, a flag or a keycap is one."""
# ruff: noqa: PLR2004 - one state machine, and code points are written as their numbers

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import emoji
import numba
import numpy as np

from transforms.kernels import BYTES, OFFSETS, compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

_POINTS = 0x20000
#: What a code point does in a sequence (Unicode TS 51): begins an emoji, is half a flag, is the box of a keycap, joins.
_BEGINS, _FLAG_HALF, _KEYCAP = 1, 2, 3


@cache
def code_points() -> NDArray[np.uint8]:
    """Return the part that each code point below U+20000 plays, from the `emoji` library's list of emoji."""
    parts = np.zeros(_POINTS, np.uint8)
    for sequence in emoji.EMOJI_DATA:
        if not sequence[0].isascii():
            parts[ord(sequence[0])] = _BEGINS
    parts[0x1F1E6:0x1F200] = _FLAG_HALF
    parts[0x20E3] = _KEYCAP
    return parts


@compiled(numba.void(BYTES, OFFSETS, numba.uint8[::1], numba.int32[::1]))
def count_emoji(
    values: NDArray[np.uint8], offsets: NDArray[np.int32], parts: NDArray[np.uint8], counts: NDArray[np.int32]
) -> None:
    """Count the emoji of each text, given the part of each code point."""
    for row in range(len(offsets) - 1):
        count = 0
        joined = False
        half = False
        begun = False
        position = offsets[row]
        high = offsets[row + 1]
        while position < high:
            byte = values[position]
            point = 0
            if byte < 0xE0:
                position += 1 if byte < 0xC0 else 2
                point = 0xA9 + (values[position - 1] & 0x3F) - 0x29 if byte == 0xC2 else 0
            elif byte < 0xF0:
                point = (byte & 0x0F) << 12 | (values[position + 1] & 0x3F) << 6 | values[position + 2] & 0x3F
                position += 3
            else:
                point = (byte & 0x07) << 18 | (values[position + 1] & 0x3F) << 12
                point |= (values[position + 2] & 0x3F) << 6 | values[position + 3] & 0x3F
                position += 4
            part = parts[point] if point < len(parts) else 0
            if part == _FLAG_HALF:
                count += 0 if half else 1
                half = not half
            else:
                half = False
                tone = 0x1F3FB <= point <= 0x1F3FF and begun
                if part != 0 and not joined and not tone:
                    count += 1
            joined = point == 0x200D
            begun = part == _BEGINS or (begun and (joined or point == 0xFE0F))
        counts[row] = count
