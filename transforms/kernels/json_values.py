"""The values that `json_fields.find_values` found, copied out: texts without their escapes, and whole numbers."""
# ruff: noqa: C901, PLR0912, PLR0915, PLR2004 - one loop over ASCII codes

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from transforms.kernels import BYTES, compiled
from transforms.kernels.json_fields import ESCAPED, NOTHING
from transforms.kernels.json_tokens import hexadecimal

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PLACES = numba.types.Array(numba.int32, 1, "C", readonly=True)
_KINDS = numba.types.Array(numba.uint8, 1, "C", readonly=True)


@compiled(numba.int64(BYTES, _PLACES, _PLACES, _KINDS, numba.uint8[::1], numba.int32[::1]))
def copy_texts(
    values: NDArray[np.uint8],
    starts: NDArray[np.int32],
    ends: NDArray[np.int32],
    kinds: NDArray[np.uint8],
    out: NDArray[np.uint8],
    offsets: NDArray[np.int32],
) -> int:
    """Write the texts that `find_values` found, without their escapes, into `out`; return the bytes written.

    A whole number or a truth is written as it stands, NOTHING as an empty text. `offsets` [texts + 1] get their bounds.
    """
    written = 0
    offsets[0] = 0
    for row in range(len(kinds)):
        kind = kinds[row]
        at = starts[row]
        end = ends[row] if kind != NOTHING else at
        while at < end:
            byte = values[np.uintp(at)]
            at += 1
            if byte != 92 or kind != ESCAPED:
                out[np.uintp(written)] = byte
                written += 1
                continue
            byte = values[np.uintp(at)]
            at += 1
            if byte != 117:
                if byte == 98:
                    byte = np.uint8(8)
                elif byte == 102:
                    byte = np.uint8(12)
                elif byte == 110:
                    byte = np.uint8(10)
                elif byte == 114:
                    byte = np.uint8(13)
                elif byte == 116:
                    byte = np.uint8(9)
                out[np.uintp(written)] = byte
                written += 1
                continue
            unit = hexadecimal(values, at, end)
            at += 4
            if 0xD800 <= unit < 0xDC00:
                unit = 0x10000 + ((unit - 0xD800) << 10) + hexadecimal(values, at + 2, end) - 0xDC00
                at += 6
            # UTF-8 (RFC 3629, 3)
            if unit < 0x80:
                out[written] = unit
                written += 1
            elif unit < 0x800:
                out[written] = 0xC0 | unit >> 6
                out[written + 1] = 0x80 | unit & 0x3F
                written += 2
            elif unit < 0x10000:
                out[written] = 0xE0 | unit >> 12
                out[written + 1] = 0x80 | unit >> 6 & 0x3F
                out[written + 2] = 0x80 | unit & 0x3F
                written += 3
            else:
                out[written] = 0xF0 | unit >> 18
                out[written + 1] = 0x80 | unit >> 12 & 0x3F
                out[written + 2] = 0x80 | unit >> 6 & 0x3F
                out[written + 3] = 0x80 | unit & 0x3F
                written += 4
        offsets[row + 1] = written
    return written


@compiled(numba.void(BYTES, _PLACES, _PLACES, numba.int64[::1]))
def read_numbers(
    values: NDArray[np.uint8], starts: NDArray[np.int32], ends: NDArray[np.int32], numbers: NDArray[np.int64]
) -> None:
    """Read the whole numbers that `find_values` found."""
    for row in range(len(numbers)):
        at = starts[row]
        negative = values[at] == 45
        if negative:
            at += 1
        number = 0
        while at < ends[row]:
            number = number * 10 + values[np.uintp(at)] - 48
            at += 1
        numbers[row] = -number if negative else number
