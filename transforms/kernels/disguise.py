"""Disguised words read as what they were meant for: look-alike letters, and digits and signs for letters."""
# ruff: noqa: C901, PLR0912, PLR0913, PLR0915, PLR2004 - kernels are single loops, UTF-8 is written as its numbers

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from transforms.confusables import EXTENDED, LEET, POINTS, RESEMBLING
from transforms.kernels import compiled
from transforms.kernels.bag import CHAR_SEED
from transforms.kernels.hashing import extend, find
from transforms.vocabulary import COUNT, STRONG_WORD, UNIT

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Characters of a word that is read; a longer one stays as it is. Readings of a word that are tried.
MAX_WORD = 40
MAX_READINGS = 256
#: How many times commoner a reading must be than what stands before its last digits (tim3, but not game5).
_MUCH_COMMONER = 8
#: Occurrences of a word that a single letter and signs are read as (7h47).
_COMMON = 500


@compiled()
def is_letter(byte: int) -> bool:
    """Whether a byte is an ASCII letter in lower case."""
    return 97 <= byte <= 122


@compiled()
def is_leet(byte: int) -> bool:
    """Whether a byte is a digit or a sign that may stand for a letter."""
    return 48 <= byte <= 57 or byte in (33, 36, 43, 64, 124)


@compiled()
def word_value(
    letters: NDArray[np.uint8], low: int, high: int, keys: NDArray[np.uint64], held: NDArray[np.int32]
) -> int:
    """Return the vocabulary's value of letters[low:high], 0 where it is no word."""
    state = CHAR_SEED
    for index in range(low, high):
        state = extend(state, letters[index])
    slot = find(keys, state)
    return int(held[slot]) if slot >= 0 else 0


@compiled()
def _best_reading(
    options: NDArray[np.uint8],
    length: int,
    letters: NDArray[np.uint8],
    keys: NDArray[np.uint64],
    held: NDArray[np.int32],
) -> int:
    """Write the commonest word among the readings of options[:length] into `letters`; return its value, 0 for none.

    Where none is a word, the first letter of each is written.
    """
    picks = np.zeros(MAX_WORD, np.uint8)
    best = np.zeros(MAX_WORD, np.uint8)
    value = 0
    for _ in range(MAX_READINGS):
        for index in range(length):
            letters[index] = options[index, 1 + picks[index]]
        found = word_value(letters, 0, length, keys, held)
        if found & COUNT > value & COUNT:
            value = found
            best[:length] = letters[:length]
        index = 0
        while index < length:
            picks[index] += 1
            if picks[index] < 3 and options[index, 1 + picks[index]] != 0:
                break
            picks[index] = 0
            index += 1
        if index == length:
            break
    for index in range(length):
        letters[index] = best[index] if value != 0 else options[index, 1]
    return value


@compiled()
def _numbered(
    options: NDArray[np.uint8],
    source: NDArray[np.uint8],
    length: int,
    value: int,
    keys: NDArray[np.uint64],
    held: NDArray[np.int32],
) -> bool:
    """Whether the digits or signs at one end stand for no letter: 2nd, 50ft, game5, $low."""
    first = 0
    while first < length and options[first, 0] == LEET:
        first += 1
    last = length
    while last > 0 and options[last - 1, 0] == LEET:
        last -= 1
    for index in range(first, last):
        if options[index, 0] == LEET:
            return False
    strong = value & STRONG_WORD != 0
    rest = word_value(source, first, last, keys, held)
    if first > 0 and last == length:
        if 48 <= source[0] <= 57:
            return rest & UNIT != 0
        return first == 1 and not strong and _MUCH_COMMONER * (rest & COUNT) > value & COUNT
    if first == 0 and last < length and not strong:
        for index in range(last, length):
            if source[index] == 36:
                return False
        return _MUCH_COMMONER * (rest & COUNT) > value & COUNT
    return False


@compiled()
def _plausible(
    options: NDArray[np.uint8],
    source: NDArray[np.uint8],
    length: int,
    plain: int,
    keys: NDArray[np.uint64],
    held: NDArray[np.int32],
) -> bool:
    """Whether a word that no vocabulary has is disguised: single digits or dollars within at least four letters."""
    if plain < 4:
        return False
    inside = 0
    place = 0
    for index in range(length):
        if options[index, 0] != LEET:
            continue
        byte = source[index]
        if not (48 <= byte <= 57 or byte == 36) or byte in (50, 54, 56, 57) or index in (0, length - 1):
            return False
        if options[index - 1, 0] == LEET or options[index + 1, 0] == LEET:
            return False
        inside += 1
        place = index
    if inside > 1:
        return True
    both = word_value(source, 0, place, keys, held) != 0
    return not (both and word_value(source, place + 1, length, keys, held) != 0)


@compiled()
def _read_leet(
    options: NDArray[np.uint8],
    source: NDArray[np.uint8],
    length: int,
    plain: int,
    letters: NDArray[np.uint8],
    keys: NDArray[np.uint64],
    held: NDArray[np.int32],
) -> bool:
    """Read an ASCII word with digits or signs into `letters`; return whether it is a disguised one.

    A word of the vocabulary is one from four characters on, or of three with the sign inside (n0t) or dollars (a$$).
    """
    value = _best_reading(options, length, letters, keys, held)
    if value & COUNT == 0:
        return _plausible(options, source, length, plain, keys, held)
    if length < 3 or (plain < 2 and value & STRONG_WORD == 0 and (length < 4 or value & COUNT < _COMMON)):
        return False
    if length == 3:
        inside = options[0, 0] != LEET and options[2, 0] != LEET
        if not inside and not (options[0, 0] != LEET and source[2] == 36):
            return False
    return not _numbered(options, source, length, value, keys, held)


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
            known = _best_reading(options, length, letters, keys, held) != 0
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
            disguised = _read_leet(options, source, length, plain, letters, keys, held)
    if disguised:
        for index in range(length):
            written[out + index] = letters[index]
        return out + length
    for index in range(low, high):
        written[out + index - low] = values[index]
    return out + high - low
