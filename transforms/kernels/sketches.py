"""Sketches that count distinct keys: HyperLogLog with registers of four bits, united by their maximum."""
# ruff: noqa: FURB136 - registers are nibbles of bytes; mypy knows no NumPy type of max()

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from transforms.kernels import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Bytes of the sketches in which a term's distinct users and skeletons are counted, and the whole crowd's users; a byte
#: is two registers.
USER_BYTES, TEXT_BYTES, CROWD_BYTES = 64, 32, 512

_SALT = np.uint64(0x2545F4914F6CDD1D)
#: MurmurHash3's fmix64, as in transforms.kernels.keys.
_FIRST, _SECOND, _SHIFT = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53), np.uint64(33)
#: What a register holds at most.
_HIGHEST = 15


@compiled()
def _add(sketch: NDArray[np.uint8], key: np.int64) -> None:
    mixed = np.uint64(key) ^ _SALT
    mixed = (mixed ^ (mixed >> _SHIFT)) * _FIRST
    mixed = (mixed ^ (mixed >> _SHIFT)) * _SECOND
    mixed ^= mixed >> _SHIFT
    register = np.int64(mixed % np.uint64(2 * len(sketch)))
    rest = mixed >> np.uint64(16)
    rank = np.int64(1)
    while rank < _HIGHEST and rest & np.uint64(1) == np.uint64(0):
        rest >>= np.uint64(1)
        rank += 1
    byte = np.int64(sketch[register // 2])
    low, high = byte & 0x0F, byte >> 4
    if register % 2:
        high = high if high > rank else rank
    else:
        low = low if low > rank else rank
    sketch[register // 2] = low | high << 4


@compiled(
    numba.void(
        numba.int64[::1],
        numba.int64[::1],
        numba.int64[::1],
        numba.int32[::1],
        numba.int64[::1],
        numba.boolean[::1],
        numba.uint8[:, ::1],
        numba.uint8[:, ::1],
    )
)
def gather_sketches(
    groups: NDArray[np.int64],
    rows: NDArray[np.int64],
    counts: NDArray[np.int64],
    users: NDArray[np.int32],
    skeletons: NDArray[np.int64],
    loud: NDArray[np.bool_],
    user_sketches: NDArray[np.uint8],
    text_sketches: NDArray[np.uint8],
) -> None:
    """Of each occurrence (group and row, sorted by both), add the row's user and skeleton to the group's sketches.

    `counts` becomes the number of rows of each group; a row that is `loud` is counted, its user and skeleton are not.
    An unknown user (0) is as many as there are skeletons.
    """
    for index in range(len(groups)):
        group = groups[index]
        row = rows[index]
        if index > 0 and group == groups[index - 1] and row == rows[index - 1]:
            continue
        counts[group] += 1
        if loud[row]:
            continue
        _add(user_sketches[group], np.int64(users[row]) if users[row] != 0 else skeletons[row])
        _add(text_sketches[group], skeletons[row])


@compiled(numba.void(numba.uint8[:, ::1], numba.float64[::1]))
def estimate_sketches(sketches: NDArray[np.uint8], estimates: NDArray[np.float64]) -> None:
    """Estimate how many distinct keys were added to each sketch.

    HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007) with its own correction of small counts by the registers that
    are still empty; the standard error is 1.04 / sqrt(registers): 3 % with 512 bytes, 9 % with 64, 13 % with 32, less
    for small counts.
    """
    size = 2 * sketches.shape[1]
    for row in range(len(sketches)):
        harmonic = np.float64(0)
        empty = 0
        for byte in sketches[row]:
            low, high = np.int64(byte) & 0x0F, np.int64(byte) >> 4
            harmonic += 1.0 / (1 << low) + 1.0 / (1 << high)
            empty += (1 if low == 0 else 0) + (1 if high == 0 else 0)
        estimates[row] = 0.7213 / (1 + 1.079 / size) * size * size / harmonic
        if estimates[row] <= 2.5 * size and empty > 0:
            estimates[row] = size * np.log(size / empty)


@compiled(numba.void(numba.uint8[:, ::1], numba.int64[::1], numba.uint8[:, ::1]))
def unite_sketches(sketches: NDArray[np.uint8], groups: NDArray[np.int64], united: NDArray[np.uint8]) -> None:
    """Unite the sketches of each group: the highest of each register."""
    for row in range(len(sketches)):
        for place in range(sketches.shape[1]):
            one, other = np.int64(sketches[row, place]), np.int64(united[groups[row], place])
            low = one & 0x0F if one & 0x0F > other & 0x0F else other & 0x0F
            high = one & 0xF0 if one & 0xF0 > other & 0xF0 else other & 0xF0
            united[groups[row], place] = low | high
