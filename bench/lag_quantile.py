"""A quantile of what came between two readings of a Prometheus histogram."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def quantile(share: float, before: Mapping[float, float], after: Mapping[float, float]) -> float:
    """Return the value below which a share of the observations lies, interpolated in its bucket.

    `before` and `after` are cumulative counts by upper bound, as `histogram_quantile` of Prometheus reads them. Raises
    ValueError where nothing came between; a value in the last, open bucket is its lower bound.
    """
    bounds = sorted(after)
    counts = [after[bound] - before.get(bound, 0.0) for bound in bounds]
    if not counts or not counts[-1]:
        raise ValueError("no observation between the readings")
    wanted = share * counts[-1]
    for (low, under), (high, within) in pairwise([(0.0, 0.0), *zip(bounds, counts, strict=True)]):
        if within >= wanted:
            return low if high == float("inf") else low + (high - low) * (wanted - under) / (within - under)
    return bounds[-1]
