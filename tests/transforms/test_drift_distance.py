"""Distances against their definitions, and their probabilities against what unchanged samples give."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.drift_distance import LEAST_EXPECTED, dispersion, distance, ks, pooled, psi

if TYPE_CHECKING:
    from numpy.typing import NDArray

COUNTS = st.lists(st.integers(0, 200), min_size=3, max_size=3).filter(lambda counts: sum(counts) > 0)
SHARES = np.array([0.4, 0.3, 0.15, 0.1, 0.05])


@given(COUNTS, COUNTS)
def test_the_distances_are_those_of_the_books(before: list[int], after: list[int]) -> None:
    """Summed term by term; an empty bin counts as half a value."""
    first, second = ([count or 0.5 for count in counts] for counts in (before, after))
    shares = [(a / sum(first), b / sum(second)) for a, b in zip(first, second, strict=True)]
    assert float(psi(np.array(before), np.array(after))) == pytest.approx(
        sum((b - a) * math.log(b / a) for a, b in shares)
    )
    steps = [
        abs(sum(before[:place]) / sum(before) - sum(after[:place]) / sum(after)) for place in range(1, len(before) + 1)
    ]
    assert float(ks(np.array(before), np.array(after))) == pytest.approx(max(steps))


@given(st.lists(st.integers(0, 500), min_size=1, max_size=30), st.integers(1, 2_000))
def test_joined_bins_hold_enough(counts: list[int], rows: int) -> None:
    """Each is expected to hold LEAST_EXPECTED values, unless all together do not; none is lost."""
    baseline = np.array(counts)
    starts = pooled(baseline, rows)
    joined = np.add.reduceat(baseline, starts)
    assert starts[0] == 0
    assert joined.sum() == baseline.sum()
    if len(starts) > 1:
        assert (joined / baseline.sum() * rows >= LEAST_EXPECTED - 1e-9).all()


def _alarms(random: np.random.Generator, overdispersed: float, level: float, runs: int) -> float:
    """The share of runs in which an unchanged pane has a probability of at most `level`."""
    found = 0
    for _ in range(runs):
        panes = np.array([_pane(random, overdispersed) for _ in range(41)])
        spread = dispersion(panes[:40])
        found += distance(panes[:40].sum(axis=0), panes[40], spread, 40).p <= level
    return found / runs


def _pane(random: np.random.Generator, overdispersed: float) -> NDArray[np.int64]:
    """A pane whose shares themselves vary from pane to pane, where `overdispersed` is above 0."""
    shares = random.dirichlet(SHARES / overdispersed) if overdispersed else SHARES
    return random.multinomial(1_000, shares)


@pytest.mark.parametrize("overdispersed", [0.0, 0.003])
def test_unchanged_panes_alarm_as_seldom_as_is_said(overdispersed: float) -> None:
    """Of independent values, and of panes that vary four times as much; twice the rate is three sigma here."""
    assert _alarms(np.random.default_rng(3), overdispersed, 0.02, 1_500) <= 0.04


def test_what_varies_more_than_chance_is_measured() -> None:
    """Near 1 for independent values, and never below; near 1 + 1000 / (1 / 0.003 + 1) for those that vary."""
    random = np.random.default_rng(4)
    assert dispersion(np.array([_pane(random, 0.0) for _ in range(400)])) == pytest.approx(1, abs=0.1)
    assert dispersion(np.array([_pane(random, 0.003) for _ in range(400)])) == pytest.approx(4, abs=0.8)
    assert dispersion(np.full((5, 2), 100)) == 1.0
    assert dispersion(np.full((5, 1), 100)) == 1.0


def test_a_change_is_plain() -> None:
    """A tenth of the values in other bins; a single bin never differs."""
    random = np.random.default_rng(5)
    baseline, changed = random.multinomial(40_000, SHARES), random.multinomial(1_000, SHARES[[0, 1, 3, 2, 4]][::-1])
    found = distance(baseline, changed, 1.0, 40)
    assert found.p < 1e-12
    assert found.psi > 0.5
    assert distance(np.array([500]), np.array([10]), 1.0, 40).p == 1.0
