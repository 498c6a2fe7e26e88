"""Words with digits and signs for letters, told from numbers, ordinals, prices and names with a number."""
# ruff: noqa: C901, PLR0911, PLR2004 - kernels are single loops, and ASCII is written as its numbers

from __future__ import annotations

from typing import TYPE_CHECKING

from transforms.confusables import LEET
from transforms.kernels import compiled
from transforms.kernels.readings import best_reading, is_letter, word_value
from transforms.kernels.spelling import best_spelling
from transforms.vocabulary import COUNT, STRONG_WORD, UNIT

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: How many times commoner a reading must be than what stands before its last digits (plane7); twice for an e
#: and once for an s, since many words end in those (tim3 and fan5, but not game5).
_MUCH_COMMONER = 8
#: Occurrences of a word that a single letter and signs are read as (7h47), and where signs and digits stand in two
#: places or mixed (3d93, w!11).
_COMMON = 100
_COMMON_ENOUGH = 10
#: Most that a letter of an unknown word with digits and signs in several places may cost (transforms.kernels.spelling):
#: of one with three letters or more as they are, and with two.
_SPELLED = 45
_WELL_SPELLED = 35
#: Letters behind an @ that are a name (you@somewhere).
_NAME = 6


@compiled()
def _number(source: NDArray[np.uint8], last: int) -> bool:
    """Whether a word begins with digits alone, up to `last`."""
    for index in range(last):
        if not 48 <= source[index] <= 57:
            return False
    return last > 0


@compiled()
def _mixed(source: NDArray[np.uint8], first: int, last: int) -> bool:
    """Whether signs stand beside digits or other signs, as in no number; `!1` is a cry."""
    digits = 0
    ones = 0
    cries = 0
    for index in range(first, last):
        digits += 48 <= source[index] <= 57
        ones += source[index] == 49
        cries += source[index] == 33
    if digits == 0:
        return last - first > 1 and cries == 0
    return digits < last - first and ones + cries < last - first


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
    if _mixed(source, 0, first) or _mixed(source, last, length):
        return False
    if first > 0 and last == length:
        if 48 <= source[0] <= 57:
            return rest & UNIT != 0
        return first == 1 and not strong and _MUCH_COMMONER * (rest & COUNT) > value & COUNT
    if first == 0 and last < length and not strong:
        for index in range(last, length):
            if source[index] == 36:
                return False
        times = _MUCH_COMMONER
        if last == length - 1 and source[last] in (51, 53):
            times = 2 if source[last] == 51 else 1
        return times * (rest & COUNT) > value & COUNT
    return False


@compiled()
def _joined(source: NDArray[np.uint8], length: int, keys: NDArray[np.uint64], held: NDArray[np.int32]) -> bool:
    """Whether digits and signs stand between words of three letters or more, around a unit or before a name.

    yes||no, 6million+, 3am!with, you@somewhere.
    """
    words = True
    begin = 0
    for index in range(length + 1):
        if index < length and is_letter(source[index]):
            continue
        size = index - begin
        if size > 0:
            value = word_value(source, begin, index, keys, held)
            words = words and size > 2 and value & COUNT != 0
            if begin > 0 and source[begin - 1] == 64 and size >= _NAME:
                return True
            if value & UNIT != 0 and _number(source, begin):
                return True
        begin = index + 1
    return words


@compiled()
def _scattered(source: NDArray[np.uint8], length: int) -> bool:
    """Whether digits and signs stand in several places of a word; `!1` at its end is a cry."""
    last = length
    while last > 0 and source[last - 1] in (33, 49):
        last -= 1
    if last < length and source[last] == 49:
        last = length
    places = 0
    for index in range(last):
        places += not is_letter(source[index]) and (index == 0 or is_letter(source[index - 1]))
    return places > 1


@compiled()
def _plausible(
    options: NDArray[np.uint8],
    source: NDArray[np.uint8],
    length: int,
    plain: int,
    letters: NDArray[np.uint8],
    keys: NDArray[np.uint64],
    held: NDArray[np.int32],
) -> bool:
    """Whether a word that no vocabulary has is disguised; its likeliest spelling is written into `letters`.

    Where digits and signs stand in several places the spelling tells; where they stand in one, they are within at least
    four letters: digits singly, and with ! + @ alone it is two words or an address.
    """
    cost = best_spelling(options, length, letters, keys, held)
    if _joined(source, length, keys, held):
        return False
    if plain > 1 and _scattered(source, length) and cost <= (_SPELLED if plain > 2 else _WELL_SPELLED) * (length + 1):
        return True
    if plain < 4 or options[0, 0] == LEET:
        return False
    inside = 0
    unsure = 0
    place = 0
    digits = 0
    for index in range(length):
        if options[index, 0] != LEET:
            digits = 0
            continue
        byte = source[index]
        digits = digits + 1 if 48 <= byte <= 57 else 0
        last = index == length - 1
        if byte in (50, 54, 56, 57) or digits > 1 or (last and byte != 36):
            return False
        unsure += byte in (33, 43, 64)
        inside += 1
        place = index
    if unsure == inside or inside > plain:
        return False
    if inside > 1:
        return True
    both = word_value(source, 0, place, keys, held) != 0
    return not (both and word_value(source, place + 1, length, keys, held) != 0)


@compiled()
def read_leet(
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
    value = best_reading(options, length, letters, keys, held)
    if value & COUNT == 0:
        return _plausible(options, source, length, plain, letters, keys, held)
    if length < 3:
        return False
    if plain < 2 and value & STRONG_WORD == 0:
        signs = _scattered(source, length) or _mixed(source, 0, length)
        if length < 4 or value & COUNT < (_COMMON_ENOUGH if signs else _COMMON):
            return False
    if length == 3:
        inside = options[0, 0] != LEET and options[2, 0] != LEET
        if not inside and not (options[0, 0] != LEET and source[2] == 36):
            return False
    return not _numbered(options, source, length, value, keys, held)
