"""Words written one letter at a time (`i d i o t`, `f.u.c.k`): found, joined, and told apart where several follow."""
# ruff: noqa: PLR2004, C901 - kernels are single loops, and ASCII is written as its numbers

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from transforms.kernels import compiled
from transforms.kernels.bag import CHAR_SEED
from transforms.kernels.hashing import extend, find
from transforms.kernels.readings import is_letter, word_value
from transforms.vocabulary import COUNT

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Letters that make a spelled-out word, and letters of a row that are told apart into words.
MIN_LETTERS = 3
MAX_LETTERS = 64
#: Letters of the longest word that is looked for in a row of them, and occurrences of all words together.
_LONGEST = 20
#: Occurrences from which on a word is one whatever words it is made of; rarer ones are often run together (ihate).
_ONE_WORD = 5
_OCCURRENCES = 1_500_000.0


@compiled()
def is_separator(byte: int) -> bool:
    """Whether a byte may stand between the letters of a spelled-out word: a full stop, hyphen, underscore, asterisk."""
    return byte in (46, 45, 95, 42)


@compiled()
def _within_word(byte: int) -> bool:
    return is_letter(byte) or 48 <= byte <= 57 or (byte >= 0xC3 and byte not in (0xE2, 0xF0))


@compiled()
def spelled(values: NDArray[np.uint8], low: int, high: int) -> int:
    """Return how many single letters stand at `low`, parted by one and the same byte; 0 for fewer than three.

    A letter that a longer word begins with is none, and a row of one letter (x x x) is none.
    """
    if low + 4 >= high:
        return 0
    separator = values[low + 1]
    count = 1
    same = True
    while low + 2 * count < high and values[low + 2 * count - 1] == separator and is_letter(values[low + 2 * count]):
        same = same and values[low + 2 * count] == values[low]
        count += 1
    end = low + 2 * count - 1
    begins_next = end + 1 < high and separator == 32 and is_separator(values[end]) and is_letter(values[end + 1])
    if begins_next or (end < high and _within_word(values[end])):
        count -= 1
    return 0 if count < MIN_LETTERS or same else count


@compiled()
def join_letters(values: NDArray[np.uint8], low: int, count: int, written: NDArray[np.uint8], out: int) -> int:
    """Write the letters without what parts them."""
    for index in range(count):
        written[out + index] = values[low + 2 * index]
    return out + count


@compiled()
def split_letters(
    letters: NDArray[np.uint8],
    count: int,
    keys: NDArray[np.uint64],
    held: NDArray[np.int32],
    written: NDArray[np.uint8],
) -> int:
    """Write joined letters as the likeliest row of common words; return the length, 0 where they are not one.

    One word where the vocabulary has it, or where no row of words of about three letters or more gives it; a row of
    exactly three letters must be a word. Likeliest by the product of the words' frequencies (Viterbi).
    """
    if word_value(letters, 0, count, keys, held) & COUNT >= _ONE_WORD:
        written[:count] = letters[:count]
        return count
    if count == MIN_LETTERS:
        return 0
    written[:count] = letters[:count]
    if count > MAX_LETTERS:
        return count
    best = np.full(MAX_LETTERS + 1, -1e9)
    origin = np.zeros(MAX_LETTERS + 1, np.int64)
    words = np.zeros(MAX_LETTERS + 1, np.int64)
    best[0] = 0.0
    for begin in range(count):
        if best[begin] <= -1e9:
            continue
        state = CHAR_SEED
        for end in range(begin + 1, min(count, begin + _LONGEST) + 1):
            state = extend(state, letters[end - 1])
            slot = find(keys, state)
            frequency = held[slot] & COUNT if slot >= 0 else 0
            if frequency == 0:
                continue
            likelihood = best[begin] + math.log(frequency / _OCCURRENCES)
            if likelihood > best[end]:
                best[end] = likelihood
                origin[end] = begin
                words[end] = words[begin] + 1
    if best[count] <= -1e9 or 3 * words[count] > count + 2:
        return count
    length = count + words[count] - 1
    place = length
    end = count
    while end > 0:
        begin = origin[end]
        for index in range(end - 1, begin - 1, -1):
            place -= 1
            written[place] = letters[index]
        if begin > 0:
            place -= 1
            written[place] = 32
        end = begin
    return int(length)
