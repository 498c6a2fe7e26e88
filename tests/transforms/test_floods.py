"""Floods against plain counting."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transforms.floods import COPIES, LONG_COPIES, LONG_WORDS, SHARE, find_floods

ROWS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 4), st.integers(1, 30)), max_size=20)


@given(ROWS, st.integers(1, 9))
def test_floods_are_those_of_many_copies(groups: list[tuple[int, int, int]], words: int) -> None:
    """A text is a flood in its own window alone, by its copies, its share and its length."""
    rows = [(segment, skeleton) for segment, skeleton, copies in groups for _ in range(copies)]
    segment = np.array([row[0] for row in rows], np.int64)
    skeletons = np.array([row[1] for row in rows], np.int64)
    found = find_floods(segment, skeletons, np.full(len(rows), words, np.int64), 2)
    copies, total = Counter(rows), Counter(row[0] for row in rows)
    for row, number in zip(rows, found.tolist(), strict=True):
        many = copies[row] >= COPIES and copies[row] >= SHARE * total[row[0]]
        long = words >= LONG_WORDS and copies[row] >= LONG_COPIES
        assert (number >= 0) == (row[1] != 0 and (many or long))
    pairs = {(row, number) for row, number in zip(rows, found.tolist(), strict=True) if number >= 0}
    assert len(pairs) == len({row for row, _ in pairs}) == len({number for _, number in pairs})
