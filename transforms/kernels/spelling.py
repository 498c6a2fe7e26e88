"""The readings of a disguised word that no vocabulary has, and the one that is spelled most like its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transforms.kernels import compiled
from transforms.kernels.hashing import extend, find
from transforms.kernels.readings import readings
from transforms.vocabulary import EDGE, SPELLING_SEED, UNSEEN

if TYPE_CHECKING:
    import numpy as np
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
    after the two before it. Of equal ones the first is taken.
    """
    least = -1
    for found in readings(options, length):
        cost = _cost(found, length, keys, held)
        if least < 0 or cost < least:
            least = cost
            letters[:length] = found
    return least
