"""The readings of a disguised word that no vocabulary has, and the one that is spelled most like its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from transforms.kernels import compiled
from transforms.kernels.hashing import extend, find
from transforms.kernels.readings import MAX_READINGS, MAX_WORD, next_reading
from transforms.vocabulary import EDGE, SPELLING_SEED, UNSEEN

if TYPE_CHECKING:
    from numpy.typing import NDArray


@compiled()
def _cost(letters: NDArray[np.uint8], length: int, keys: NDArray[np.uint64], held: NDArray[np.int32]) -> int:
    total = 0
    first = EDGE
    second = EDGE
    for index in range(length + 1):
        third = int(letters[index]) if index < length else EDGE
        slot = find(keys, extend(extend(extend(SPELLING_SEED, first), second), third))
        total += int(held[slot]) if slot >= 0 else UNSEEN
        first = second
        second = third
    return total


@compiled()
def best_spelling(
    options: NDArray[np.uint8],
    length: int,
    letters: NDArray[np.uint8],
    keys: NDArray[np.uint64],
    held: NDArray[np.int32],
) -> int:
    """Write the reading of options[:length] that is spelled most like a word into `letters`; return its cost.

    The cost is the sum over the letters and the end of the word, in tenths of a bit, of how little each is expected
    after the two before it. Of equal ones the first reading in the order of `best_reading` is taken.
    """
    picks = np.zeros(MAX_WORD, np.uint8)
    best = np.zeros(MAX_WORD, np.uint8)
    least = -1
    for _ in range(MAX_READINGS):
        for index in range(length):
            letters[index] = options[index, 1 + picks[index]]
        cost = _cost(letters, length, keys, held)
        if least < 0 or cost < least:
            least = cost
            best[:length] = letters[:length]
        if not next_reading(options, length, picks):
            break
    letters[:length] = best[:length]
    return least
