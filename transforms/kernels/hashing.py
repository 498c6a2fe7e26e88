"""Sets of 64-bit FNV-1a hashes in open addressing, for kernels that look words up by their bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from transforms.kernels import BYTES, OFFSETS, compiled
from transforms.kernels.bag import CHAR_SEED, PRIME, SPREAD

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Keys of a table: 0 where a slot is free.
KEYS = numba.types.Array(numba.uint64, 1, "C", readonly=True)
VALUES = numba.types.Array(numba.int32, 1, "C", readonly=True)

_HALF = np.uint64(32)


@compiled()
def extend(state: np.uint64, byte: int) -> np.uint64:
    """One step of FNV-1a."""
    return (state ^ np.uint64(byte)) * PRIME


@compiled()
def find(keys: NDArray[np.uint64], state: np.uint64) -> int:
    """Return the slot of a hash, -1 where the table lacks it."""
    last = len(keys) - 1
    slot = int((state * SPREAD) >> _HALF) & last
    while keys[slot] != np.uint64(0):
        if keys[slot] == state:
            return slot
        slot = (slot + 1) & last
    return -1


@compiled(numba.void(KEYS, VALUES, numba.uint64[::1], numba.int32[::1]))
def fill(
    hashes: NDArray[np.uint64], values: NDArray[np.int32], keys: NDArray[np.uint64], slots: NDArray[np.int32]
) -> None:
    """Put hashes and their values into an empty table (a power of two, larger than the hashes); a later one wins."""
    last = len(keys) - 1
    for index in range(len(hashes)):
        slot = int((hashes[index] * SPREAD) >> _HALF) & last
        while keys[slot] != np.uint64(0) and keys[slot] != hashes[index]:
            slot = (slot + 1) & last
        keys[slot] = hashes[index]
        slots[slot] = values[index]


@compiled(numba.uint64(BYTES, numba.uint64))
def hash_bytes(values: NDArray[np.uint8], state: np.uint64) -> np.uint64:
    """FNV-1a of all bytes, from a state on."""
    for byte in values:
        state = extend(state, byte)
    return state


@compiled(numba.void(BYTES, OFFSETS, numba.uint64[::1]))
def hash_rows(values: NDArray[np.uint8], offsets: NDArray[np.int32], hashes: NDArray[np.uint64]) -> None:
    """FNV-1a of each text of a column, 0 for an empty one."""
    for row in range(len(offsets) - 1):
        state = CHAR_SEED
        for position in range(offsets[row], offsets[row + 1]):
            state = extend(state, values[position])
        hashes[row] = state if offsets[row + 1] > offsets[row] else np.uint64(0)
