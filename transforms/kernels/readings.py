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
def next_reading(options: NDArray[np.uint8], length: int, picks: NDArray[np.uint8]) -> bool:
    """Turn `picks`, which option of each letter is taken, to the next reading; return whether there is one."""
    for index in range(length):
        picks[index] += 1
        if picks[index] < 3 and options[index, 1 + picks[index]] != 0:
            return True
        picks[index] = 0
    return False


@compiled()
def best_reading(
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
        if not next_reading(options, length, picks):
            break
    for index in range(length):
        letters[index] = best[index] if value != 0 else options[index, 1]
    return value
