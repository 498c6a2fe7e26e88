"""Waits between connections: growing, jittered, bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from echopulse.gateway.reconnect import wait_before
from echopulse.gateway.source import Limits


@given(st.integers(1, 50))
def test_a_wait_doubles_up_to_its_limit(attempt: int) -> None:
    """Half is fixed, half random."""
    full = min(8.0, 2.0 ** (attempt - 1))

    assert full / 2 <= wait_before(attempt, Limits(first_wait_s=1.0, longest_wait_s=8.0)) <= full
