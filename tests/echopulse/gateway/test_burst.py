"""Frames that came at once, against a list of them one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from echopulse.gateway.burst import Burst, datas_of, joined, resume_of, size_of
from echopulse.gateway.connector import Arrival

if TYPE_CHECKING:
    from collections.abc import Sequence

_DATAS = st.lists(st.binary(max_size=4), min_size=1, max_size=6)


def _ones(datas: list[bytes], resume: str) -> list[Arrival]:
    return [Arrival(data, resume if place == len(datas) - 1 else "") for place, data in enumerate(datas)]


@given(_DATAS, st.sampled_from(["", "7"]), st.slices(6))
def test_it_is_a_list_of_arrivals(datas: list[bytes], resume: str, part: slice) -> None:
    """Whole or in part; only the last one leads on."""
    burst, ones = Burst(datas, resume), _ones(datas, resume)
    assert list(burst) == ones
    assert burst[-1] == ones[-1]
    assert (len(burst), datas_of(burst), size_of(burst)) == (len(ones), datas_of(ones), size_of(ones))
    assert resume_of(burst) == resume_of(ones) == resume
    if part.step in {None, 1}:
        assert list(burst[part]) == ones[part]


@given(st.lists(st.tuples(_DATAS, st.sampled_from(["", "7", "8"]), st.booleans()), min_size=1, max_size=4))
def test_parts_are_joined_in_order(parts: list[tuple[list[bytes], str, bool]]) -> None:
    """Bursts to one, which leads on where the newest that says so does; with others among them, to a list."""
    given: list[Sequence[Arrival]] = [
        Burst(datas, resume) if alone else _ones(datas, resume) for datas, resume, alone in parts
    ]
    whole = joined(given)
    assert datas_of(whole) == [data for datas, _, _ in parts for data in datas]
    assert resume_of(whole) == next((resume for _, resume, _ in reversed(parts) if resume), "")
    assert isinstance(whole, Burst) == all(alone for _, _, alone in parts)
    assert list(joined([])) == []
