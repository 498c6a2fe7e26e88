"""Words with digits and signs for letters, told from numbers, ordinals, prices and names with a number."""
# ruff: noqa: C901, PLR2004 - kernels are single loops, and ASCII is written as its numbers

from __future__ import annotations

from typing import TYPE_CHECKING

from transforms.confusables import LEET
from transforms.kernels import compiled
from transforms.kernels.readings import best_reading, word_value
from transforms.vocabulary import COUNT, STRONG_WORD, UNIT

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: How many times commoner a reading must be than what stands before its last digits (plane7); twice for an e
#: and once for an s, since many words end in those (tim3 and fan5, but not game5).
_MUCH_COMMONER = 8
#: Occurrences of a word that a single letter and signs are read as (7h47).
_COMMON = 100


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
        times = _MUCH_COMMONER
        if last == length - 1 and source[last] in (51, 53):
            times = 2 if source[last] == 51 else 1
        return times * (rest & COUNT) > value & COUNT
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
    """Whether a word that no vocabulary has is disguised: digits and signs within at least four letters.

    Digits stand singly; with ! + @ alone it is two words or an address.
    """
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
        return _plausible(options, source, length, plain, keys, held)
    if length < 3 or (plain < 2 and value & STRONG_WORD == 0 and (length < 4 or value & COUNT < _COMMON)):
        return False
    if length == 3:
        inside = options[0, 0] != LEET and options[2, 0] != LEET
        if not inside and not (options[0, 0] != LEET and source[2] == 36):
            return False
    return not _numbered(options, source, length, value, keys, held)
