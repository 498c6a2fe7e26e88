"""Spherical k-means in segments: groups of like vectors, from dense and distant seeds, those that are alike merged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from transforms.kernels import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Groups that are begun with, and passes over the rows.
_SEEDS, _PASSES = 16, 8
#: Seeds of a cosine above this are one from the start.
_SAME = 0.8
_NOTHING = np.float32(1e-6)


@compiled()
def _dot(one: NDArray[np.float32], other: NDArray[np.float32]) -> np.float32:
    total = np.float32(0)
    for place in range(len(one)):
        total += one[place] * other[place]
    return total


@compiled()
def _scale_to_one(vector: NDArray[np.float32]) -> None:
    length = np.sqrt(_dot(vector, vector))
    if length > _NOTHING:
        for place in range(len(vector)):
            vector[place] /= length


@compiled()
def _seeds(
    vectors: NDArray[np.float32], sampled: NDArray[np.bool_], low: int, high: int, centres: NDArray[np.float32]
) -> int:
    """Choose seeds among the sampled rows: near many others, far from the seeds before; return how many."""
    rows = np.empty(high - low, np.int64)
    count = 0
    for row in range(low, high):
        if sampled[row] and _dot(vectors[row], vectors[row]) > _NOTHING:
            rows[count] = row
            count += 1
    density = np.zeros(count, np.float32)
    nearest = np.zeros(count, np.float32)
    for one in range(count):
        for other in range(count):
            near = max(_dot(vectors[rows[one]], vectors[rows[other]]), np.float32(0))
            density[one] += near * near * near * near
    seeds = 0
    while seeds < min(len(centres), count):
        best, chosen = np.float32(0), -1
        for one in range(count):
            score = density[one] * (1 - nearest[one]) * (1 - nearest[one])
            if score > best:
                best, chosen = score, one
        if chosen < 0:
            break
        centres[seeds] = vectors[rows[chosen]]
        for one in range(count):
            nearest[one] = min(max(nearest[one], _dot(vectors[rows[one]], centres[seeds])), np.float32(1))
        seeds += 1
    return seeds


@compiled()
def _merged(centres: NDArray[np.float32], sizes: NDArray[np.int64], count: int, alike: float) -> int:
    """Merge the two centres that are most alike until none are `alike` enough; return how many are left."""
    while count > 1:
        best, left, right = np.float32(alike), -1, -1
        for one in range(count):
            for other in range(one + 1, count):
                near = _dot(centres[one], centres[other])
                if near >= best:
                    best, left, right = near, one, other
        if left < 0:
            break
        for place in range(centres.shape[1]):
            centres[left, place] = sizes[left] * centres[left, place] + sizes[right] * centres[right, place]
        _scale_to_one(centres[left])
        sizes[left] += sizes[right]
        count -= 1
        centres[right] = centres[count]
        sizes[right] = sizes[count]
    return count


@compiled()
def _ones(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    sizes[:] = 1
    return sizes


@compiled()
def _assign(
    vectors: NDArray[np.float32],
    low: int,
    high: int,
    centres: NDArray[np.float32],
    count: int,
    near_enough: float,
    labels: NDArray[np.int64],
    nearness: NDArray[np.float32],
) -> None:
    for row in range(low, high):
        best, chosen = np.float32(near_enough), -1
        for centre in range(count):
            near = _dot(vectors[row], centres[centre])
            if near > best:
                best, chosen = near, centre
        labels[row] = chosen
        nearness[row] = best if chosen >= 0 else np.float32(0)


@compiled(
    numba.void(
        numba.float32[:, ::1],
        numba.boolean[::1],
        numba.int64[::1],
        numba.float64,
        numba.float64,
        numba.int64,
        numba.int64[::1],
        numba.float32[::1],
    )
)
def cluster(
    vectors: NDArray[np.float32],
    sampled: NDArray[np.bool_],
    starts: NDArray[np.int64],
    alike: float,
    near_enough: float,
    least: int,
    labels: NDArray[np.int64],
    nearness: NDArray[np.float32],
) -> None:
    """Label the rows (unit vectors, or zero for none) of each segment; -1 for one that belongs to no group.

    Segment s is rows starts[s] to starts[s + 1]. Centres at least `alike` (cosine) become one; a row belongs to the
    nearest centre if that is nearer than `near_enough`; a group of fewer rows than `least` is none. `nearness` is the
    cosine of a row and its centre. Seeds come from the rows that are `sampled`.
    """
    centres = np.empty((_SEEDS, vectors.shape[1]), np.float32)
    sizes = np.empty(_SEEDS, np.int64)
    for segment in range(len(starts) - 1):
        low, high = starts[segment], starts[segment + 1]
        count = _seeds(vectors, sampled, low, high, centres) if high - low >= least else 0
        count = _merged(centres, _ones(sizes), count, _SAME)
        for step in range(_PASSES):
            _assign(vectors, low, high, centres, count, near_enough, labels, nearness)
            centres[:count] = 0
            sizes[:count] = 0
            for row in range(low, high):
                if labels[row] >= 0:
                    centres[labels[row]] += vectors[row]
                    sizes[labels[row]] += 1
            # Groups may grow until the last pass; those that are still small by then are none.
            kept = 0
            for centre in range(count):
                if sizes[centre] >= (least if step >= _PASSES // 2 else 1):
                    centres[kept] = centres[centre]
                    sizes[kept] = sizes[centre]
                    _scale_to_one(centres[kept])
                    kept += 1
            count = _merged(centres, sizes, kept, alike)
        _assign(vectors, low, high, centres, count, near_enough, labels, nearness)
