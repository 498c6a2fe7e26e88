"""Which model scores events of which time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from echopulse.registry.timeline import Step, fold


def step(number: int, after: int, digest: str, valid_from_ms: int) -> Step:
    """A promotion."""
    return Step(number, after, digest, valid_from_ms, "promotion")


def test_of_two_at_once_the_first_counts() -> None:
    """Both knew step 1; the one that was written later is void, and so is what builds on it."""
    steps = [step(1, 0, "a", 0), step(3, 1, "c", 60), step(2, 1, "b", 50), step(4, 3, "d", 70), step(5, 2, "e", 80)]
    timeline = fold(steps)
    assert [one.digest for one in timeline.steps] == ["a", "b", "e"]
    assert timeline.position == 5


def test_a_rollback_takes_back_what_was_set_for_later() -> None:
    """An earlier instant written later holds from there on."""
    timeline = fold([step(1, 0, "a", 0), step(2, 1, "b", 1_000), Step(3, 2, "a", 400, "rollback")])
    assert [(one.digest, one.valid_from_ms) for one in timeline.entries] == [("a", 0), ("a", 400)]
    assert timeline.previous is None


def test_a_second_rollback_goes_further_back() -> None:
    """Not to the champion that was rolled back; from the first one there is no way back."""
    steps = [step(1, 0, "a", 0), step(2, 1, "b", 100), step(3, 2, "c", 200)]
    for number, wanted in ((4, "b"), (5, "a")):
        timeline = fold(steps)
        assert timeline.previous is not None
        assert timeline.previous.digest == wanted
        steps.append(Step(number, number - 1, wanted, 100 * number, "rollback"))
    assert fold(steps).previous is None
    again = fold([*steps, step(6, 5, "c", 900)])
    assert again.previous is not None
    assert again.previous.digest == "a"


def test_before_anything_nobody_scores() -> None:
    """An empty timeline, and an instant before the first entry."""
    assert fold([]).at(5) is None
    assert fold([]).last is None
    assert fold([step(1, 0, "a", 10)]).at(9) is None


@given(st.lists(st.integers(0, 50), max_size=12), st.integers(-5, 60))
def test_against_asking_every_step(instants: list[int], at: int) -> None:
    """The newest step whose instant has come decides, among those that no later one took back."""
    steps = [step(place + 1, place, f"{place}", instant) for place, instant in enumerate(instants)]
    found = fold(steps).at(at)
    naive = None
    for one in steps:
        if one.valid_from_ms <= at:
            naive = one
    assert found == naive
