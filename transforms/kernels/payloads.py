"""The outer shape of JSON payloads, so that whole batches of them can be parsed as one stream."""
# ruff: noqa: C901, PLR0912, PLR0915, PLR2004 - one state machine over ASCII codes

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from transforms.kernels import BYTES, OFFSETS, compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Brackets within brackets that every JSON reader takes; orjson stops at 1,024.
DEEPEST = 1_000

_BASIS = np.uint64(0xCBF29CE484222325)
_PRIME = np.uint64(0x100000001B3)
_NAMES = numba.types.Array(numba.uint64, 2, "C", readonly=True)


def hash_name(name: bytes) -> int:
    """Return the FNV-1a hash of a name (64 bits), by which `mark_objects` knows it."""
    value = int(_BASIS)
    for byte in name:
        value = ((value ^ byte) * int(_PRIME)) & 0xFFFFFFFFFFFFFFFF
    return value


@compiled(numba.void(BYTES, OFFSETS, numba.uint8[::1], _NAMES, numba.boolean[::1], numba.uint64[::1]))
def mark_objects(
    values: NDArray[np.uint8],
    offsets: NDArray[np.int32],
    platforms: NDArray[np.uint8],
    names: NDArray[np.uint64],
    whole: NDArray[np.bool_],
    present: NDArray[np.uint64],
) -> None:
    """Say of each payload whether its brackets outside strings close to one object, with nothing but space around it.

    No payload so marked can swallow its neighbour or pass for two when they are parsed one behind another. `present`
    gets a bit for each of `names[platform]` (hashes, 0 at the end) at its top; a name there with an escape sequence
    leaves the payload unmarked, for it is not known which it is.
    """
    for row in range(len(offsets) - 1):
        depth = 0
        objects = 0
        sound = True
        naming = False
        bits = np.uint64(0)
        own = names[platforms[row]]
        position = offsets[row]
        end = offsets[row + 1]
        while position < end:
            byte = values[position]
            position += 1
            if byte == 34:
                closed = False
                named = naming and depth == 1
                hashed = _BASIS
                while position < end:
                    byte = values[position]
                    position += 1
                    if byte == 34:
                        closed = True
                        break
                    if byte == 92:
                        position += 1
                        sound = sound and not named
                    elif named:
                        hashed = (hashed ^ np.uint64(byte)) * _PRIME
                sound = sound and closed and depth > 0
                if named:
                    naming = False
                    for bit in range(len(own)):
                        if own[bit] == 0:
                            break
                        if own[bit] == hashed:
                            bits |= np.uint64(1) << np.uint64(bit)
                            break
            elif byte in (123, 91):
                if depth == 0:
                    objects += 1
                    sound = sound and byte == 123
                    naming = True
                depth += 1
                sound = sound and depth <= DEEPEST
            elif byte in (125, 93):
                depth -= 1
                sound = sound and depth >= 0
            elif byte == 44:
                naming = naming or depth == 1
                sound = sound and depth > 0
            elif depth == 0 and byte not in (32, 9, 13, 10):
                sound = False
        whole[row] = sound and objects == 1 and depth == 0
        present[row] = bits
