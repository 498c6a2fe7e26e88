"""What comes out of order is let on in it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from echopulse.gateway.in_sequence import InSequence


@given(st.permutations(range(1, 30)), st.lists(st.integers(1, 29), max_size=20))
def test_any_order_becomes_the_sequence(numbers: list[int], repeats: list[int]) -> None:
    """Each number once, whatever is delivered again in between; nothing stays."""
    order: InSequence[int] = InSequence(0)
    found: list[int] = []
    seen: set[int] = set()
    for number, repeat in zip(numbers, [*repeats, *numbers], strict=False):
        for each in (number, repeat):
            assert order.add(each, each) == (each not in found)
            seen.add(each)
            found += order.ready()
            assert len(order) == len(seen) - len(found)
    assert found == list(range(1, 30))


def test_a_gap_is_waited_for_or_left_out() -> None:
    """Held behind it until told that nothing else is on its way; a number from the gap comes too late then."""
    order: InSequence[str] = InSequence(4)
    assert order.add(7, "seven")
    assert order.add(9, "nine")
    assert order.ready() == []
    assert order.all_held() == ["seven", "nine"]
    assert not order.add(6, "six")
    assert order.add(10, "ten")
    assert order.ready() == ["ten"]
    assert order.all_held() == []
