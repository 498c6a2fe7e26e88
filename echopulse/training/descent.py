"""Gradient descent over hashed n-grams, one row at a time, every head's columns at once."""
# ruff: noqa: C901, PLR0912 - one loop over rows

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from transforms.kernels import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Of a bias's gradient to a weight's: a bias is in every row.
BIAS_PACE = np.float32(0.02)


@compiled(
    "void(u4[::1], i8[::1], f4[:, ::1], f4[:, ::1], i8[::1], i8[::1], i8[::1], f4[:, ::1], f4[::1], f4[::1], f4, i8,"
    " i8)"
)
def descend(  # noqa: PLR0913, PLR0917 - a kernel takes plain arrays
    buckets: NDArray[np.uint32],
    starts: NDArray[np.int64],
    wanted: NDArray[np.float32],
    importance: NDArray[np.float32],
    lows: NDArray[np.int64],
    highs: NDArray[np.int64],
    order: NDArray[np.int64],
    weights: NDArray[np.float32],
    squares: NDArray[np.float32],
    biases: NDArray[np.float32],
    rate: np.float32,
    done: int,
    steps: int,
) -> None:
    """Visit the rows in `order`; change `weights`, `squares` and `biases` in place.

    The rate falls linearly from `rate` to 0 over `steps` rows, of which `done` were visited before: a training may be
    done in parts, and gives the same bytes.

    Head t has the columns lows[t]:highs[t]; its loss of a row is the cross-entropy to `wanted` [rows, columns] times
    importance [rows, heads], 0 where the row teaches it nothing. Several columns are a softmax, a single one a sigmoid.
    A gram counts 1 / sqrt(grams of its row). Each bucket's steps are divided by the root of the sum of its squared
    gradients so far, `squares` [buckets] (AdaGrad, Duchi, Hazan and Singer 2011, with one rate for a bucket's columns).
    """
    columns = weights.shape[1]
    gradient = np.empty(columns, np.float32)
    for step in range(len(order)):
        row = order[step]
        low = starts[row]
        high = starts[row + 1]
        if low == high:
            continue
        share = np.float32(1.0 / np.sqrt(high - low))
        gradient[:] = 0.0
        for gram in range(low, high):
            for column in range(columns):
                gradient[column] += weights[buckets[gram], column]
        for column in range(columns):
            gradient[column] = gradient[column] * share + biases[column]
        active = False
        for head in range(len(lows)):
            first = lows[head]
            last = highs[head]
            weight = importance[row, head]
            if weight == 0.0:
                gradient[first:last] = 0.0
                continue
            active = True
            if last - first == 1:
                gradient[first] = weight * (1.0 / (1.0 + np.exp(-gradient[first])) - wanted[row, first])
                continue
            largest = gradient[first]
            for column in range(first + 1, last):
                largest = max(largest, gradient[column])
            total = np.float32(0.0)
            for column in range(first, last):
                gradient[column] = np.exp(gradient[column] - largest)
                total += gradient[column]
            for column in range(first, last):
                gradient[column] = weight * (gradient[column] / total - wanted[row, column])
        for column in range(highs[-1], columns):
            gradient[column] = 0.0
        if not active:
            continue
        pace = rate * np.float32(1.0 - (done + step) / steps)
        square = np.float32(0.0)
        for column in range(columns):
            biases[column] -= pace * BIAS_PACE * gradient[column]
            gradient[column] *= share
            square += gradient[column] * gradient[column]
        square /= np.float32(columns)
        for gram in range(low, high):
            bucket = buckets[gram]
            squares[bucket] += square
            stride = pace / np.float32(np.sqrt(squares[bucket]))
            for column in range(columns):
                weights[bucket, column] -= stride * gradient[column]
