"""Adaptive windowing against a naive one that looks at every cut by itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.adwin import LONGEST, SHORTEST, Adwin

PANE = 200


def naive(panes: list[list[float]], delta: float) -> int | None:
    """The cut whose means differ most beyond the paper's bound, from the values themselves."""
    values = [value for pane in panes for value in pane]
    best, where = 0.0, None
    for cut in range(SHORTEST, len(panes) - SHORTEST + 1):
        left = [value for pane in panes[:cut] for value in pane]
        right = values[len(left) :]
        harmonic = 1 / (1 / len(left) + 1 / len(right))
        logarithm = math.log(2 * len(panes) / delta)
        bound = math.sqrt(2 / harmonic * float(np.var(values)) * logarithm) + 2 / (3 * harmonic) * logarithm
        excess = abs(float(np.mean(left)) - float(np.mean(right))) - bound
        if excess > best:
            best, where = excess, cut
    return where


def sums(pane: list[float]) -> tuple[int, float, float]:
    """What is kept of a pane."""
    return len(pane), sum(pane), sum(value * value for value in pane)


@given(
    st.lists(st.lists(st.floats(0, 1), min_size=1, max_size=30), min_size=1, max_size=14),
    st.sampled_from([0.9, 0.3, 0.01]),
)
def test_it_cuts_where_the_naive_one_does(panes: list[list[float]], delta: float) -> None:
    """After each pane both hold the same window."""
    window, held = Adwin(delta), []
    for pane in panes:
        window.add(*sums(pane))
        held.append(pane)
        while (cut := naive(held, delta)) is not None:
            held = held[cut:]
        assert len(window.panes) == len(held)


def test_a_mean_that_moves_is_told_with_both_sides() -> None:
    """A rise within a few panes, while the first of the later ones may still be old ones; the older part is dropped."""
    random = np.random.default_rng(1)
    window = Adwin(1e-4)
    for _ in range(30):
        assert window.add(*sums((random.random(PANE) < 0.2).tolist())) is None
    later = (window.add(*sums((random.random(PANE) < 0.5).tolist())) for _ in range(8))
    found = next(found for found in later if found)
    assert list(found) == [pytest.approx(0.2, abs=0.03), pytest.approx(0.4, abs=0.11)]
    assert len(window.panes) <= 8


def test_values_that_depend_on_each_other_weigh_less() -> None:
    """What would be a cut among independent values is none where sixteen of them weigh as one."""
    steps = [sums([0.4, 0.6] * 50)] * 10 + [sums([0.48, 0.68] * 50)] * 10
    assert any(Adwin.add(window, *pane) for window in [Adwin(0.01)] for pane in steps)
    assert not any(Adwin.add(window, *pane) for window in [Adwin(0.01, spread=16)] for pane in steps)


def test_the_window_is_bounded() -> None:
    """The oldest panes are let go."""
    window = Adwin(1e-6)
    for _ in range(LONGEST + 50):
        window.add(10, 5.0, 2.6)
    assert len(window.panes) == LONGEST


def test_false_alarms_stay_below_delta() -> None:
    """Over 20,000 panes of unchanged values; the bound is far from tight."""
    random = np.random.default_rng(2)
    window = Adwin(1e-3)
    draws = random.binomial(PANE, 0.3, 20_000).tolist()
    assert sum(window.add(PANE, float(drawn), float(drawn)) is not None for drawn in draws) <= 20
