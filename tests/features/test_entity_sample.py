"""The sample: least hashes of all that were added."""

from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from features.machinery.entity_sample import EntitySample

NAMES = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 5)), max_size=40)


def sampled(entities: list[tuple[str, int]], count: int, seed: int, parts: int = 1) -> list[tuple[object, ...]]:
    """Add entities in so many parts."""
    sample = EntitySample(["name", "seat"], count, seed)
    for part in range(parts):
        sample.add(pd.DataFrame(entities[part::parts], columns=["name", "seat"]))
    return sample.entities()


@given(NAMES, st.integers(1, 8), st.integers(0, 3))
def test_order_parts_and_repeats_do_not_matter(entities: list[tuple[str, int]], count: int, seed: int) -> None:
    """It is the beginning of the whole in the order of the hashes."""
    whole = sampled(sorted(set(entities)), 1_000, seed)
    assert set(whole) == set(entities)
    assert sampled(entities, count, seed, parts=3) == whole[:count]
    assert sampled(entities[::-1] * 2, count, seed) == whole[:count]


def test_another_seed_is_another_sample() -> None:
    """And everyone has a chance."""
    many = [(f"user-{number}", number) for number in range(200)]
    seeds = [sampled(many, 20, seed) for seed in range(60)]
    assert seeds[0] != seeds[1]
    assert len({entity for sample in seeds for entity in sample}) > 190
