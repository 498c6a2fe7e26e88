"""The word scanner against Python strings."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from bench.row_words import aligned, scan
from transforms.buffers import string_buffers
from transforms.kernels.vocabulary import UNKNOWN, fill_vocabulary, hash_words
from transforms.kernels.words import (
    APOSTROPHE,
    CAPITAL,
    CONTRACTION,
    FRESH,
    HYPHEN,
    LOWER,
    SPACE,
    TAG,
    scan_words,
)
from transforms.normalisation import normalise

_GAPS = {"": 0, "space": SPACE, "hyphen": HYPHEN, "apostrophe": APOSTROPHE}
_PARTS = st.sampled_from(
    [
        *("a", "B", "É", "ß", "İ", "1", "_", "日", "s", " ", "#", "@", "$", ".", "-", "'", "\u2019", "\u201c", "😂"),
        *("://", "www.", "\n"),
    ]
)
_VOCABULARY = ("a", "b", "1", "é", "ab")


@given(st.lists(st.lists(_PARTS, max_size=16).map("".join), max_size=5))
def test_words_against_strings(texts: list[str]) -> None:
    """The kernel finds the words that regular expressions find, written as these say, with their terms."""
    normalised = normalise(pa.array(texts, pa.string()))
    values, offsets = string_buffers(normalised.folded)
    hashes = np.empty(len(_VOCABULARY), np.uint64)
    hash_words(*string_buffers(pa.array(_VOCABULARY)), hashes)
    keys, terms = np.zeros(16, np.uint64), np.full(16, UNKNOWN, np.int32)
    fill_vocabulary(hashes, keys, terms)
    room = int(offsets[-1]) + 1
    same, firsts = np.empty(len(texts), np.bool_), np.empty(len(texts) + 1, np.int64)
    starts, ends, found = (np.empty(room, np.int32) for _ in range(3))
    writing = np.empty(room, np.uint8)
    composed = string_buffers(normalised.composed)
    count = scan_words(*composed, values, offsets, keys, terms, same, firsts, starts, ends, writing, found)
    expected: list[tuple[int, int, int, int]] = []
    for row, (mine, folded) in enumerate(
        zip(normalised.composed.to_pylist(), normalised.folded.to_pylist(), strict=True)
    ):
        assert same[row] == aligned(mine, folded)
        assert firsts[row] == len(expected)
        for word in scan(mine, folded):
            bits = CAPITAL * word.capital | LOWER * word.small | FRESH * word.fresh | TAG * word.tag
            bits |= 0 if word.tag else _GAPS[word.gap] | CONTRACTION * word.contraction
            term = _VOCABULARY.index(word.text) if word.text in _VOCABULARY else UNKNOWN
            start, end = (int(offsets[row]) + len(folded[:place].encode()) for place in (word.start, word.end))
            expected.append((start, end, bits, term))
    gaps = np.where(writing[:count] & TAG, np.uint8(~(SPACE | HYPHEN | APOSTROPHE | CONTRACTION) & 255), np.uint8(255))
    columns = (starts[:count], ends[:count], writing[:count] & gaps, found[:count])
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == expected
