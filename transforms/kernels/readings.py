"""The readings of a disguised word, and the commonest word among them."""
# ruff: noqa: PLR2004 - kernels are single loops, and ASCII is written as its numbers

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from transforms.kernels import compiled
from transforms.kernels.bag import CHAR_SEED
from transforms.kernels.hashing import extend, find
from transforms.vocabulary import COUNT

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Characters of a word that is read; a longer one stays as it is. Readings of a word that are tried.
MAX_WORD = 40
MAX_READINGS = 256


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
def readings(options: NDArray[np.uint8], length: int) -> NDArray[np.uint8]:
    """Return the readings of options[:length], a row each: all of them, the first letter's other choices first.

    Of more than MAX_READINGS those.
    """
    count = 1
    for index in range(length):
        choices = 1
        while choices < 3 and options[index, 1 + choices] != 0:
            choices += 1
        count = min(count * choices, MAX_READINGS)
    found = np.empty((count, length), np.uint8)
    picks = np.zeros(length, np.uint8)
    for row in range(count):
        for index in range(length):
            found[row, index] = options[index, 1 + picks[index]]
        for index in range(length):
            picks[index] += 1
            if picks[index] < 3 and options[index, 1 + picks[index]] != 0:
                break
            picks[index] = 0
    return found


@compiled()
def best_reading(
    options: NDArray[np.uint8],
    length: int,
    letters: NDArray[np.uint8],
    keys: NDArray[np.uint64],
    held: NDArray[np.int32],
) -> int:
    """Write the commonest word among the readings of options[:length] into `letters`; return its value, 0 for none.

    Where none is a word, the first reading is written.
    """
    value = 0
    found = readings(options, length)
    letters[:length] = found[0]
    for reading in found:
        known = word_value(reading, 0, length, keys, held)
        if known & COUNT > value & COUNT:
            value = known
            letters[:length] = reading
    return value
