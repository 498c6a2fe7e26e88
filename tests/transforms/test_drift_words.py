"""Known words: learnt from the first texts, or given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from transforms import drift_words
from transforms.drift_words import KnownWords

if TYPE_CHECKING:
    import pytest


def test_given_words_are_known_at_once() -> None:
    """And nothing is added to them."""
    words = KnownWords(learn=0, hashes=np.array([3, 7], np.uint64))
    words.add(np.array([5], np.uint64), 1)
    assert words.known is not None
    assert words.known.tolist() == [3, 7]


def test_words_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound none are added; they stay sorted, so that they can be looked up."""
    monkeypatch.setattr(drift_words, "MOST_WORDS", 3)
    words = KnownWords(learn=2)
    words.add(np.array([9, 2], np.uint64), 1)
    before = words.known
    words.add(np.array([5, 2, 7], np.uint64), 1)
    assert before is None
    assert words.known is not None
    assert words.known.tolist() == [2, 5, 7]
