"""Stochastic gradient descent over hashed n-grams, one row at a time, every task's columns at once."""
# ruff: noqa: C901, PLR0912 - one loop over rows

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from transforms.kernels import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray


@compiled("void(u4[::1], i8[::1], i8[:, ::1], i8[::1], i8[::1], f4[:, ::1], i8[::1], f4[:, ::1], f4[::1], f4)")
def descend(  # noqa: PLR0913, PLR0917 - a kernel takes plain arrays
    buckets: NDArray[np.uint32],
    starts: NDArray[np.int64],
    labels: NDArray[np.int64],
    lows: NDArray[np.int64],
    highs: NDArray[np.int64],
    importance: NDArray[np.float32],
    order: NDArray[np.int64],
    weights: NDArray[np.float32],
    biases: NDArray[np.float32],
    rate: np.float32,
) -> None:
    """Visit the rows in `order`, the rate falling linearly from `rate` to 0; change `weights` and `biases` in place.

    `labels` [rows, tasks] is the label's index, -1 where a row has none for a task; task t has the columns
    lows[t]:highs[t], and its loss is weighed by importance [tasks, labels]. Several columns are a softmax, a single one
    is a sigmoid of label 1 (multinomial and binary logistic regression). A gram counts 1 / sqrt(grams of its row).
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
        for task in range(len(lows)):
            label = labels[row, task]
            first = lows[task]
            last = highs[task]
            if label < 0:
                gradient[first:last] = 0.0
                continue
            active = True
            weight = importance[task, label]
            if last - first == 1:
                gradient[first] = weight * (1.0 / (1.0 + np.exp(-gradient[first])) - label)
                continue
            largest = gradient[first]
            for column in range(first + 1, last):
                largest = max(largest, gradient[column])
            total = np.float32(0.0)
            for column in range(first, last):
                gradient[column] = np.exp(gradient[column] - largest)
                total += gradient[column]
            for column in range(first, last):
                gradient[column] = weight * (gradient[column] / total - (1.0 if column - first == label else 0.0))
        for column in range(highs[-1], columns):
            gradient[column] = 0.0
        if not active:
            continue
        pace = rate * np.float32(1.0 - step / len(order))
        for column in range(columns):
            biases[column] -= pace * np.float32(0.02) * gradient[column]
            gradient[column] *= pace * share
        for gram in range(low, high):
            for column in range(columns):
                weights[buckets[gram], column] -= gradient[column]
