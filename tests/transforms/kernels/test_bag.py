"""The bag's kernels against Python strings."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from transforms.buffers import string_buffers
from transforms.kernels.bag import GRAMS_PER_BYTE, ZERO, list_grams, sum_rows

_MASK = (1 << 64) - 1
_BITS = 10
_TEXTS = st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Lu"]), max_size=40), max_size=6)


def _hash(data: bytes, seed: int) -> int:
    state = seed
    for byte in data:
        state = (state ^ byte) * 0x100000001B3 & _MASK
    return state


def _bucket(state: int) -> int:
    return (state * 0x9E3779B97F4A7C15 & _MASK) >> (64 - _BITS)


def _grams(text: str) -> list[int]:
    """The buckets of a text's grams, by Python strings."""
    states = [
        _hash(text[start : start + length].encode(), 0xCBF29CE484222325)
        for start in range(len(text))
        for length in range(2, 6)
        if start + length <= len(text)
    ]
    words = [
        _hash(run.encode(), 0x84222325CBF29CE4)
        for run in re.findall(r"[a-z0-9'_\x80-\U0010ffff]+|[^a-z0-9'_ \x80-\U0010ffff]+", text)
    ]
    pairs = [(first * 0x100000001B3 & _MASK) ^ second for first, second in itertools.pairwise(words)]
    return [_bucket(state) for state in states + words + pairs]


@given(_TEXTS)
def test_grams_against_strings(texts: list[str]) -> None:
    """The kernel finds the grams that slices of Python strings give, each as often."""
    values, offsets = string_buffers(pa.array(texts, pa.string()))
    buckets = np.empty((int(offsets[-1]) + 1) * GRAMS_PER_BYTE, np.uint32)
    starts = np.empty(len(texts) + 1, np.int64)
    list_grams(values, offsets, np.uint64(64 - _BITS), buckets, starts)
    for row, text in enumerate(texts):
        assert sorted(buckets[starts[row] : starts[row + 1]].tolist()) == sorted(_grams(text))


@given(_TEXTS | st.just(["ab " * 900]), st.sampled_from([8, 16]))
def test_sums_against_a_loop(texts: list[str], columns: int) -> None:
    """The sums are those of the table's rows, also where more grams come than sixteen bits hold."""
    table = np.random.default_rng(1).integers(-127, 128, (1 << _BITS, columns)).astype(np.int8)
    table[: 1 << (_BITS - 1), 0] = -127
    table[:, 1] = 127
    values, offsets = string_buffers(pa.array(texts, pa.string()))
    sums = np.empty((len(texts), columns), np.int32)
    counts = np.empty(len(texts), np.int32)
    words = (table.view(np.uint8) ^ np.uint8(ZERO)).view(np.uint64)
    sum_rows(values, offsets, np.uint64(64 - _BITS), words, sums, counts)
    for row, text in enumerate(texts):
        grams = _grams(text)
        assert counts[row] == len(grams)
        assert sums[row].tolist() == table[grams].sum(axis=0, dtype=np.int32).tolist()
