"""A series: learns, holds panes against what it learnt, and tells a drift once, however it is cut into batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.drift_measures import MEASURES
from transforms.drift_series import Rules, Series, Shift

if TYPE_CHECKING:
    from numpy.typing import NDArray

RULES = Rules(pane_events=100, baseline_panes=20, false_alarms=1e-4, persist=3)


def values(rows: int, level: float, seed: int = 1) -> NDArray[np.float64]:
    """Shares around a level."""
    return np.random.default_rng(seed).beta(20 * level, 20 * (1 - level), rows)


def feed(series: Series, *parts: NDArray[np.float64], start: int = 0) -> list[Shift]:
    """Add values, a ms apart."""
    found = []
    for part in parts:
        found += series.add(part, start + np.arange(len(part)))
        start += len(part)
    return found


def test_a_change_is_told_once_with_when_it_began() -> None:
    """After three panes in a row; told again only once the series has been as before."""
    series = Series(MEASURES["toxicity"], RULES)
    assert feed(series, values(4_000, 0.2)) == []
    assert series.tested == 20
    found = feed(series, values(1_000, 0.6, 2), start=4_000)
    (drift,) = [each for each in found if each.method == "distribution"]
    assert (drift.since_ms, drift.ts_ms) == (4_000, 4_299)
    assert drift.mean_before == pytest.approx(0.2, abs=0.02)
    assert drift.mean_after == pytest.approx(0.6, abs=0.02)
    assert drift.distance.psi > 0.1
    assert drift.distance.p <= RULES.false_alarms
    assert [each.method for each in found].count("adwin") == 1
    assert [e for e in feed(series, values(500, 0.2, 3), start=5_000) if e.method == "distribution"] == []
    again = feed(series, values(500, 0.6, 4), start=6_000)
    assert [each.since_ms for each in again if each.method == "distribution"] == [6_000]


def test_a_moment_is_no_drift() -> None:
    """Two panes that differ, then one that does not."""
    series = Series(MEASURES["toxicity"], RULES)
    parts = [values(3_000, 0.2), values(200, 0.6, 2), values(1_000, 0.2, 3)]
    assert [each for each in feed(series, *parts) if each.method == "distribution"] == []


def test_what_is_plain_but_small_is_no_drift() -> None:
    """A change that large panes make certain, of a size that nobody retrains for."""
    rules = Rules(pane_events=20_000, baseline_panes=10, false_alarms=1e-3)
    series = Series(MEASURES["toxicity"], rules)
    assert feed(series, values(200_000, 0.30), values(100_000, 0.31, 2)) == []
    assert series.latest is not None
    assert series.latest.p < 1e-3


def test_a_category_has_no_mean_to_move() -> None:
    """Languages differ by their distribution alone."""
    series = Series(MEASURES["language"], RULES)
    random = np.random.default_rng(5)
    before, after = random.choice([0.0, 3.0], 3_000, p=[0.8, 0.2]), random.choice([0.0, 3.0], 500, p=[0.2, 0.8])
    assert [each.method for each in feed(series, before, after)] == ["distribution"]
    assert series.adwin is None


def test_values_beyond_the_range_count_as_its_end() -> None:
    """One text of a thousand characters does not move a mean for all."""
    series = Series(MEASURES["characters"], RULES)
    feed(series, np.full(50, 4_000.0))
    assert series.pane is not None
    assert series.pane.total == 50 * 256


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 700), max_size=8))
def test_batches_do_not_matter(sizes: list[int]) -> None:
    """The same values in other batches give the same drifts, baseline and pane."""
    stream = np.concatenate([values(2_500, 0.2), values(1_050, 0.6, 2)])
    whole, parts = Series(MEASURES["toxicity"], RULES), Series(MEASURES["toxicity"], RULES)
    expected = whole.add(stream, np.arange(len(stream)))
    found, done = [], 0
    for size in [*sizes, len(stream)]:
        found += parts.add(stream[done : done + size], np.arange(len(stream))[done : done + size])
        done = min(done + size, len(stream))
    assert [(each.method, each.since_ms, each.ts_ms) for each in found] == [
        (each.method, each.since_ms, each.ts_ms) for each in expected
    ]
    assert whole.pane is not None
    assert parts.pane is not None
    assert parts.pane.counts.tolist() == whole.pane.counts.tolist()
