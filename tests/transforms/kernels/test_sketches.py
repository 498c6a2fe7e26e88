"""Sketches of distinct keys against sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.kernels.sketches import TEXT_BYTES, USER_BYTES, estimate_sketches, gather_sketches, unite_sketches

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _sketch(users: list[int]) -> NDArray[Any]:
    rows = len(users)
    sketches = np.zeros((1, USER_BYTES), np.uint8)
    unused = np.zeros((1, TEXT_BYTES), np.uint8)
    gather_sketches(
        np.zeros(rows, np.int64),
        np.arange(rows),
        np.zeros(1, np.int64),
        np.array(users, np.int32),
        np.zeros(rows, np.int64),
        np.zeros(rows, np.bool_),
        sketches,
        unused,
    )
    return sketches


def _count(sketches: NDArray[Any]) -> float:
    estimates = np.empty(len(sketches), np.float64)
    estimate_sketches(sketches, estimates)
    return float(estimates[0])


USERS = st.lists(st.integers(1, 2**31 - 1), max_size=60)


@settings(deadline=None)
@given(USERS, USERS)
def test_a_union_counts_each_user_once(one: list[int], other: list[int]) -> None:
    """United sketches are the sketch of all keys."""
    both = np.concatenate([_sketch(one), _sketch(other)])
    united = np.zeros((1, USER_BYTES), np.uint8)
    unite_sketches(both, np.zeros(2, np.int64), united)
    assert united.tolist() == _sketch([*one, *other]).tolist()
    distinct = len({*one, *other})
    assert _count(united) == pytest.approx(distinct, abs=3 + 0.2 * distinct)


@pytest.mark.parametrize("count", [1, 5, 50, 500, 5_000, 50_000])
def test_estimates_stay_close(count: int) -> None:
    """Three standard errors at most, at every size."""
    assert _count(_sketch(list(range(1, count + 1)))) == pytest.approx(count, rel=0.28)
