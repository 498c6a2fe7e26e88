"""Sources shared out among processes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echopulse.gateway.share import Share
from schemas.errors import UsageError


@given(st.text(max_size=20), st.integers(1, 9))
def test_each_source_is_in_one_process(source: str, of: int) -> None:
    """Always in the same."""
    shares = [Share(number, of) for number in range(of)]
    assert [share.holds(source) for share in shares].count(True) == 1
    assert [Share.read(str(share)) for share in shares] == shares


def test_alone_it_is_all() -> None:
    """Whatever the name."""
    assert Share().holds("chat")


@pytest.mark.parametrize("text", ["", "1", "2/2", "-1/2", "a/b", "1/"])
def test_what_is_no_share_is_refused(text: str) -> None:
    """With an example."""
    with pytest.raises(UsageError, match=f"^'{text}' is no share"):
        Share.read(text)
