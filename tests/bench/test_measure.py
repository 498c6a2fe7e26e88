from __future__ import annotations

import pytest

from bench.measure import Figure, rates, ratio, repeated


def test_median_is_the_middle_run() -> None:
    """One slow run does not move it."""
    assert Figure("x", (3.0, 1.0, 100.0), "rows/s").median == 3.0


def test_a_figure_without_a_run_is_refused() -> None:
    """Nothing can be told of what was not measured."""
    with pytest.raises(ValueError, match="'x' has no run"):
        Figure("x", (), "rows/s")


def test_ratio_is_of_medians() -> None:
    """Ours by theirs."""
    assert ratio(Figure("x", (30.0, 20.0, 40.0), "rows/s"), Figure("y", (10.0,), "rows/s")) == 3.0


def test_ratio_of_unlike_units_is_refused() -> None:
    """Rows are not held against milliseconds."""
    with pytest.raises(ValueError, match="'x' is in rows/s and 'y' in ms"):
        ratio(Figure("x", (1.0,), "rows/s"), Figure("y", (1.0,), "ms"))


def test_rates_divide_by_each_run() -> None:
    """A rate for each run, in order."""
    assert rates(10, [2.0, 5.0]) == (5.0, 2.0)


def test_the_first_call_is_not_counted() -> None:
    """A warm-up precedes the runs."""
    calls: list[int] = []
    assert len(repeated(lambda: calls.append(1), 3)) == 3
    assert len(calls) == 4
