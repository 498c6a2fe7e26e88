"""The words of a token undisguised: spelled-out ones joined, look-alikes, digits and signs read as letters."""
# ruff: noqa: C901, PLR2004 - kernels are single loops, and UTF-8 is written as its numbers

from __future__ import annotations

from typing import TYPE_CHECKING

from transforms.confusables import LOOKALIKE
from transforms.kernels import compiled
from transforms.kernels.disguise import read_word
from transforms.kernels.readings import is_leet, is_letter
from transforms.kernels.spacing import is_separator, join_letters, spelled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@compiled()
def mostly_latin(values: NDArray[np.uint8], low: int, high: int, choices: NDArray[np.uint8]) -> bool:
    """Whether ASCII letters are at least twice as many as letters that look like none of them."""
    plain = 0
    beyond = 0
    for index in range(low, high):
        byte = values[index]
        if is_letter(byte):
            plain += 1
        elif 0xC3 <= byte < 0xE0:
            point = (byte & 0x1F) << 6 | values[index + 1] & 0x3F
            beyond += choices[point, 0] != LOOKALIKE
        elif byte in (0xE0, 0xE1) or 0xE3 <= byte < 0xF0:
            beyond += 1
    return plain > 0 and plain >= 2 * beyond


@compiled()
def _wordly(byte: int) -> bool:
    return is_letter(byte) or is_leet(byte) or byte >= 128


@compiled()
def undisguise(
    values: NDArray[np.uint8],
    low: int,
    high: int,
    latin: bool,  # noqa: FBT001 - numba takes no keywords here
    choices: NDArray[np.uint8],
    keys: NDArray[np.uint64],
    held: NDArray[np.int32],
    written: NDArray[np.uint8],
) -> int:
    """Write values[low:high] with its words undisguised; hashtags and paths (/x1) stay. Return the length."""
    position = low
    out = 0
    while position < high:
        byte = values[position]
        if not _wordly(byte):
            written[out] = byte
            out += 1
            position += 1
            continue
        before = values[position - 1] if position > low else 32
        if is_letter(byte) and position + 1 < high and is_separator(values[position + 1]):
            count = spelled(values, position, high)
            if count > 0:
                out = join_letters(values, position, count, written, out)
                position += 2 * count - 1
                continue
        end = position + 1
        while end < high and _wordly(values[end]) and not (values[end] == 0xE2 and values[end + 1] == 0x80):
            end += 1
        if byte == 0xE2 and values[position + 1] == 0x80:
            end = position + 3
        last = end
        while last > position and values[last - 1] == 33:
            last -= 1
        if before in (35, 47):
            for index in range(position, last):
                written[out] = values[index]
                out += 1
        elif position < last:
            out = read_word(values, position, last, latin, choices, keys, held, written, out)
        for index in range(last, end):
            written[out] = values[index]
            out += 1
        position = end
    return out
