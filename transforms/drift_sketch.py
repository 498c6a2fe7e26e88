"""A distribution as counts on a fixed grid: sketches of parts add up to the sketch of the whole, in any order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Sketch:
    """How many values fell into each bin [edges + 1], their sum and their sum of squares."""

    counts: NDArray[np.int64]
    total: float = 0.0
    squares: float = 0.0

    @classmethod
    def of(cls, values: NDArray[np.float64], edges: Sequence[float]) -> Self:
        """Sketch values; a bin holds its lower edge. NaN is no value."""
        kept = values[~np.isnan(values)]
        bins = np.searchsorted(np.asarray(edges), kept, side="right")
        counts = np.bincount(bins, minlength=len(edges) + 1)
        return cls(counts.astype(np.int64), float(kept.sum()), float(np.square(kept).sum()))

    @classmethod
    def empty(cls, edges: Sequence[float]) -> Self:
        """Return the sketch of no values."""
        return cls(np.zeros(len(edges) + 1, np.int64))

    @property
    def rows(self) -> int:
        """How many values there are."""
        return int(self.counts.sum())

    @property
    def mean(self) -> float:
        """Their mean, 0 for none."""
        return self.total / self.rows if self.rows else 0.0

    @property
    def deviation(self) -> float:
        """Their standard deviation, 0 for none."""
        return float(np.sqrt(max(self.squares / self.rows - self.mean**2, 0.0))) if self.rows else 0.0

    def merged(self, other: Self) -> Self:
        """Return the sketch of both; raises ValueError for two grids."""
        if self.counts.shape != other.counts.shape:
            message = f"{len(self.counts)} bins do not add to {len(other.counts)}"
            raise ValueError(message)
        return type(self)(self.counts + other.counts, self.total + other.total, self.squares + other.squares)
