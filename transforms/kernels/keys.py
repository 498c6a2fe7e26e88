"""Hashes of whole strings, and 64-bit hashes made 32 bits wide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from transforms.kernels import BYTES, OFFSETS, compiled
from transforms.kernels.bag import CHAR_SEED, PRIME

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FIRST, _SECOND = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
_SHIFT = np.uint64(33)


@compiled(numba.void(BYTES, OFFSETS, numba.int64[::1]))
def hash_strings(values: NDArray[np.uint8], offsets: NDArray[np.int32], hashes: NDArray[np.int64]) -> None:
    """Hash each string by FNV-1a, 64 bits; 0 for an empty one."""
    for row in range(len(offsets) - 1):
        key = CHAR_SEED
        for position in range(offsets[row], offsets[row + 1]):
            key = (key ^ np.uint64(values[position])) * PRIME
        hashes[row] = np.int64(key) if offsets[row + 1] > offsets[row] else 0


@compiled(numba.void(numba.types.Array(numba.int64, 1, "C", readonly=True), numba.int32[::1]))
def narrow(hashes: NDArray[np.int64], keys: NDArray[np.int32]) -> None:
    """Mix each hash and keep 32 bits of it; 0 for 0 and for nothing else.

    The mixer is MurmurHash3's fmix64 (Austin Appleby, public domain): FNV's low bits alone know little of the rest.
    """
    for row in range(len(hashes)):
        mixed = np.uint64(hashes[row])
        mixed = (mixed ^ (mixed >> _SHIFT)) * _FIRST
        mixed = (mixed ^ (mixed >> _SHIFT)) * _SECOND
        key = np.int32(np.uint32(mixed ^ (mixed >> _SHIFT)))
        keys[row] = 1 if key == 0 and hashes[row] != 0 else key
