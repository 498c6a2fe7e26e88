from __future__ import annotations

import math

import pytest

from bench.lag_quantile import quantile

_BEFORE = {0.01: 5.0, 0.05: 5.0, math.inf: 5.0}


def test_it_is_interpolated_in_the_bucket_of_what_came_between() -> None:
    """As Prometheus does; what was there before does not count."""
    after = {0.01: 55.0, 0.05: 105.0, math.inf: 105.0}
    assert quantile(0.5, _BEFORE, after) == pytest.approx(0.01)
    assert quantile(0.75, _BEFORE, after) == pytest.approx(0.03)
    assert quantile(0.25, {}, {0.01: 10.0, math.inf: 10.0}) == pytest.approx(0.0025)


def test_beyond_the_last_bound_it_is_that_bound() -> None:
    """The histogram does not tell how far beyond."""
    assert quantile(0.99, _BEFORE, {0.01: 6.0, 0.05: 6.0, math.inf: 9.0}) == 0.05


def test_nothing_has_no_quantile() -> None:
    """Rather than 0 ms."""
    with pytest.raises(ValueError, match=r"^no observation between the readings$"):
        quantile(0.99, _BEFORE, _BEFORE)
