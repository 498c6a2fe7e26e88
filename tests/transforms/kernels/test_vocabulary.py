"""The vocabulary's hash table against a dictionary."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from transforms.buffers import string_buffers
from transforms.kernels.vocabulary import UNKNOWN, fill_vocabulary, find_term, hash_words


def _hashes(*words: str) -> list[int]:
    hashes = np.empty(len(words), np.uint64)
    hash_words(*string_buffers(pa.array(words)), hashes)
    return [int(value) for value in hashes]


def test_plurals_share_a_hash() -> None:
    """An s behind three letters is left out, a double s and that of "bus" are not."""
    hashes = _hashes("eagle", "eagles", "glas", "glass", "glasss", "bus", "viru", "virus", "gas", "ga")
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == len(hashes) - 1


@given(st.sets(st.integers(1, 2**64 - 1) | st.integers(1, 40), max_size=30), st.integers(1, 60))
def test_terms_against_a_dictionary(hashes: set[int], other: int) -> None:
    """Every hash has the term it was entered with, and no other has one."""
    entered = sorted(hashes)
    keys, terms = np.zeros(64, np.uint64), np.full(64, UNKNOWN, np.int32)
    fill_vocabulary(np.array(entered, np.uint64), keys, terms)
    for key in (*entered, other):
        expected = entered.index(key) if key in hashes else UNKNOWN
        assert find_term(keys, terms, np.uint64(key)) == expected
