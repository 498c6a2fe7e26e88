"""The rate limit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from echopulse.gateway.token_bucket import TokenBucket


@given(st.lists(st.floats(0, 10), min_size=1, max_size=50))
def test_never_more_than_burst_and_rate(pauses: list[float]) -> None:
    """Whatever the pauses between events."""
    now = 0.0
    bucket = TokenBucket(2.0, 5, lambda: now)
    taken = 0
    for pause in pauses:
        now += pause
        taken += bucket.take()
        assert taken <= 5 + 2.0 * now + 1e-6


def test_the_wait_is_until_the_next_token() -> None:
    """And then there is one."""
    now = 0.0
    bucket = TokenBucket(4.0, 1, lambda: now)
    assert bucket.take()
    assert not bucket.take()
    now += bucket.wait_s()
    assert now == 0.25
    assert bucket.take()
