"""The newest ids, as many as there is room for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from echopulse.gateway.recent_ids import RecentIds


@given(st.lists(st.sampled_from("abcdefgh"), max_size=60), st.integers(1, 6))
def test_it_knows_the_last_that_were_new(names: list[str], most: int) -> None:
    """As a list of the new ones does, cut at its length."""
    recent, oracle = RecentIds(most), list[str]()
    for name in names:
        assert recent.add(name) == (name not in oracle[-most:])
        if name not in oracle[-most:]:
            oracle.append(name)
