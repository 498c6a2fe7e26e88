"""Sketches against counting one value at a time; parts add up to the whole."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.drift_sketch import Sketch

EDGES = (-0.5, 0.0, 0.25, 2.0)
VALUES = st.lists(st.one_of(st.floats(-3, 3), st.just(math.nan), st.sampled_from(EDGES)), max_size=60)


def naive(values: list[float]) -> list[int]:
    """How many values fall into each bin, which holds its lower edge."""
    counts = [0] * (len(EDGES) + 1)
    for value in values:
        if not math.isnan(value):
            counts[sum(edge <= value for edge in EDGES)] += 1
    return counts


def sketch(values: list[float]) -> Sketch:
    """Sketch a list."""
    return Sketch.of(np.array(values, np.float64), EDGES)


@given(VALUES)
def test_it_counts_as_one_at_a_time_does(values: list[float]) -> None:
    """Counts, mean and deviation."""
    found, kept = sketch(values), [value for value in values if not math.isnan(value)]
    assert found.counts.tolist() == naive(values)
    assert found.rows == len(kept)
    assert found.mean == pytest.approx(np.mean(kept) if kept else 0.0, abs=1e-9)
    assert found.deviation == pytest.approx(np.std(kept) if kept else 0.0, abs=1e-6)


@given(VALUES, VALUES, VALUES)
def test_parts_add_up_in_any_order(one: list[float], two: list[float], three: list[float]) -> None:
    """The whole is the merge of its parts, however they are joined."""
    whole = sketch(one + two + three)
    for merged in (
        sketch(one).merged(sketch(two)).merged(sketch(three)),
        sketch(three).merged(sketch(two).merged(sketch(one))).merged(Sketch.empty(EDGES)),
    ):
        assert merged.counts.tolist() == whole.counts.tolist()
        assert (merged.total, merged.squares) == pytest.approx((whole.total, whole.squares))


def test_two_grids_do_not_add_up() -> None:
    """They would be nonsense."""
    with pytest.raises(ValueError, match="5 bins do not add to 2"):
        sketch([1.0]).merged(Sketch.empty((0.5,)))
