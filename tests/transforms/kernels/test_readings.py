"""The ways to read a word with digits and signs for letters."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transforms.kernels.readings import MAX_READINGS, MAX_WORD, readings


@given(st.lists(st.text("abc", min_size=1, max_size=3), max_size=12))
def test_readings_are_those_of_a_product(word: list[str]) -> None:
    """All of them in the order of the product, up to the limit; the first letter's other choices come first."""
    options = np.zeros((MAX_WORD, 4), np.uint8)
    for place, letters in enumerate(word):
        options[place, 1 : 1 + len(letters)] = list(letters.encode())
    turned = itertools.islice(itertools.product(*reversed(word)), MAX_READINGS)
    expected = ["".join(reversed(reading)) for reading in turned]
    assert [row.tobytes().decode() for row in readings(options, len(word))] == expected
