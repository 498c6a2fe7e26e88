"""Strings, numbers and literals of JSON (RFC 8259) in a buffer of bytes: where they end, and whether they are any."""
# ruff: noqa: C901, PLR0911, PLR2004 - state machines over ASCII codes

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from transforms.kernels import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Digits of a number that 64 bits hold whatever they are, and those that every reader takes.
_DIGITS, _LONGEST = 18, 300


@compiled()
def behind_space(values: NDArray[np.uint8], at: int, end: int) -> int:
    """Return the first place from `at` that is no white space."""
    while at < end:
        byte = values[np.uintp(at)]
        if byte not in (32, 10, 13, 9):
            break
        at += 1
    return at


@compiled()
def hexadecimal(values: NDArray[np.uint8], at: int, end: int) -> int:
    """Return the number that four hexadecimal digits write, -1 where they are none."""
    if at + 4 > end:
        return -1
    number = 0
    for place in range(at, at + 4):
        byte = values[np.uintp(place)]
        if 48 <= byte <= 57:
            digit = byte - 48
        elif 97 <= (byte | 32) <= 102:
            digit = (byte | 32) - 87
        else:
            return -1
        number = number * 16 + digit
    return number


@compiled()
def string_end(values: NDArray[np.uint8], at: int, end: int) -> tuple[int, bool]:
    """Return where the closing quote of a string is whose text begins at `at`, -1 for none; whether it has escapes."""
    escaped = False
    while at < end:
        byte = values[np.uintp(at)]
        if byte > 92:  # most of a text: behind both that end it or escape
            at += 1
            continue
        if byte == 34:
            return at, escaped
        if byte < 32:
            return -1, escaped
        if byte == 92:
            escaped = True
            at += 1
            if at >= end:
                return -1, escaped
            byte = values[np.uintp(at)]
            if byte == 117:
                unit = hexadecimal(values, at + 1, end)
                at += 4
                if 0xD800 <= unit < 0xDC00:
                    if at + 2 >= end or values[at + 1] != 92 or values[at + 2] != 117:
                        return -1, escaped
                    low = hexadecimal(values, at + 3, end)
                    at += 6
                    if not 0xDC00 <= low < 0xE000:
                        return -1, escaped
                elif unit < 0 or 0xDC00 <= unit < 0xE000:
                    return -1, escaped
            # " \ / b f n r t
            elif byte not in (34, 92, 47, 98, 102, 110, 114, 116):
                return -1, escaped
        at += 1
    return -1, escaped


@compiled()
def number_end(values: NDArray[np.uint8], at: int, end: int) -> tuple[int, bool]:
    """Return the place behind a number without an exponent, -1 for none; whether it is whole and has few digits."""
    first = at
    if values[at] == 45:
        at += 1
    digits = at
    while at < end and 48 <= values[np.uintp(at)] <= 57:
        at += 1
    count = at - digits
    zero = count > 0 and values[digits] == 48
    if count == 0 or count > _LONGEST or (zero and count > 1):
        return -1, False
    whole = count <= _DIGITS and not (zero and digits > first)
    if at < end and values[at] == 46:
        fraction = at + 1
        at += 1
        while at < end and 48 <= values[np.uintp(at)] <= 57:
            at += 1
        if at == fraction or at - fraction > _LONGEST:
            return -1, False
        whole = False
    if at < end and (values[at] | 32) == 101:
        return -1, False
    return at, whole


@compiled()
def literal_end(values: NDArray[np.uint8], at: int, end: int) -> int:
    """Return the place behind true, false or null, -1 for none of them."""
    byte = values[at]
    if byte == 116 and at + 4 <= end:
        same = values[at + 1] == 114 and values[at + 2] == 117 and values[at + 3] == 101
        return at + 4 if same else -1
    if byte == 110 and at + 4 <= end:
        same = values[at + 1] == 117 and values[at + 2] == 108 and values[at + 3] == 108
        return at + 4 if same else -1
    if byte == 102 and at + 5 <= end:
        same = values[at + 1] == 97 and values[at + 2] == 108 and values[at + 3] == 115 and values[at + 4] == 101
        return at + 5 if same else -1
    return -1
