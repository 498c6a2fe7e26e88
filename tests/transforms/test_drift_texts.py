"""Measures of texts against plain Python's."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.drift_texts import is_known, text_measures, word_hashes
from transforms.drift_words import KnownWords
from transforms.normalisation import normalise
from transforms.vocabulary import hash_text

TEXT = st.text(st.sampled_from("ab é1,.!-\t😀ß"), max_size=20)


def naive_words(text: str) -> list[str]:
    """The words of a normalised text."""
    return [word for word in re.split(r"[\W_]+", text) if word]


@given(st.lists(TEXT, max_size=8))
def test_words_are_those_of_a_plain_split(texts: list[str]) -> None:
    """Their hashes in order, and how many each text has."""
    hashes, counts = word_hashes(pa.array(texts, pa.string()))
    expected = [naive_words(text) for text in texts]
    assert counts.tolist() == [len(words) for words in expected]
    assert hashes.tolist() == [hash_text(word) for words in expected for word in words]


@given(st.lists(TEXT, max_size=8), st.sets(st.sampled_from(["a", "b", "ab", "é"])))
def test_shares_are_counted_by_text(texts: list[str], known: set[str]) -> None:
    """Unknown words and repetitions, NaN for a text without words."""
    normalised = normalise(pa.array(texts, pa.string()))
    hashes = np.sort(np.array([hash_text(word) for word in known], np.uint64))
    measures, _ = text_measures(normalised, hashes)
    for row, text in enumerate(normalised.normalised.to_pylist()):
        words = naive_words(text)
        unknown = sum(word not in known for word in words) / len(words) if words else np.nan
        repeated = 1 - len(set(words)) / len(words) if words else np.nan
        assert measures["words"][row] == len(words)
        assert measures["unknown_words"][row] == pytest.approx(unknown, nan_ok=True)
        assert measures["repetition"][row] == pytest.approx(repeated, nan_ok=True)
        assert measures["characters"][row] == len(normalised.composed[row].as_py())
        assert measures["emoji"][row] == texts[row].count("😀")


def test_nothing_is_known_of_words_that_are_being_learnt() -> None:
    """The first texts have no such measure; afterwards their words are the known ones, for good."""
    words = KnownWords(learn=3)
    for texts, expected in ((["a b", "c"], [np.nan, np.nan]), (["d", "e"], [np.nan, np.nan]), (["a x", "y"], [0.5, 1])):
        measures, hashes = text_measures(normalise(pa.array(texts)), words.known)
        assert measures["unknown_words"].tolist() == pytest.approx(expected, nan_ok=True)
        words.add(hashes, len(texts))
    assert words.texts == 4
    assert len(words.hashes) == 5


def test_no_word_is_among_none() -> None:
    """An empty vocabulary knows nothing."""
    assert is_known(np.array([1, 2], np.uint64), np.zeros(0, np.uint64)).tolist() == [False, False]
    assert is_known(np.array([1, 9], np.uint64), np.array([1, 3], np.uint64)).tolist() == [True, False]
