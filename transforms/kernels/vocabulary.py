"""A vocabulary as a hash table: from a word's hash, plurals without their s, to its number."""
# ruff: noqa: PLR2004 - ASCII is written as its numbers

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from transforms.kernels import BYTES, OFFSETS, compiled
from transforms.kernels.bag import CHAR_SEED, PRIME, SPREAD

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: The term of a word that the vocabulary lacks.
UNKNOWN = -1


@compiled()
def hash_stem(values: NDArray[np.uint8], start: int, end: int) -> np.uint64:
    """Hash a word in lower case by FNV-1a without its plural's s (that of Harman's S-stemmer, all but -ss and -us)."""
    stop = end
    if end - start >= 4 and values[end - 1] == 115 and values[end - 2] != 115 and values[end - 2] != 117:
        stop = end - 1
    state = CHAR_SEED
    for position in range(start, stop):
        state = (state ^ np.uint64(values[position])) * PRIME
    return state if state != np.uint64(0) else PRIME


@compiled()
def find_term(keys: NDArray[np.uint64], terms: NDArray[np.int32], key: np.uint64) -> int:
    """Return the term of a hash, UNKNOWN where there is none."""
    mask = np.uint64(len(keys) - 1)
    slot = ((key * SPREAD) >> np.uint64(32)) & mask
    while keys[slot] != np.uint64(0):
        if keys[slot] == key:
            return int(terms[slot])
        slot = (slot + np.uint64(1)) & mask
    return UNKNOWN


@compiled(numba.void(BYTES, OFFSETS, numba.uint64[::1]))
def hash_words(values: NDArray[np.uint8], offsets: NDArray[np.int32], hashes: NDArray[np.uint64]) -> None:
    """Hash each string, one word in lower case, by `hash_stem`; none gives 0."""
    for row in range(len(offsets) - 1):
        hashes[row] = hash_stem(values, offsets[row], offsets[row + 1])


@compiled(numba.void(numba.uint64[::1], numba.uint64[::1], numba.int32[::1]))
def fill_vocabulary(hashes: NDArray[np.uint64], keys: NDArray[np.uint64], terms: NDArray[np.int32]) -> None:
    """Enter each hash, different ones, with its index as term; `keys` has a power of two of zeros, more than hashes."""
    mask = np.uint64(len(keys) - 1)
    for term in range(len(hashes)):
        slot = ((hashes[term] * SPREAD) >> np.uint64(32)) & mask
        while keys[slot] != np.uint64(0):
            slot = (slot + np.uint64(1)) & mask
        keys[slot] = hashes[term]
        terms[slot] = term
