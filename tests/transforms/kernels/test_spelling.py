"""What a word costs by its letters, and the reading that costs least."""

from __future__ import annotations

import numpy as np
import pytest

from transforms.confusables import choices
from transforms.kernels.spelling import best_spelling
from transforms.vocabulary import load_vocabulary, spelling_costs


def test_costs() -> None:
    """Each letter costs what it tells after two others: nothing where no other follows, a bit for one of two."""
    assert spelling_costs({"ab": 3, "ac": 3}) == {"  a": 0, " ab": 10, " ac": 10, "ab ": 0, "ac ": 0}


@pytest.mark.parametrize(("word", "spelled"), [("radiat1on", "radiation"), ("p1unger", "plunger")])
def test_likeliest_spelling(word: str, spelled: str) -> None:
    """Of the letters that a digit may stand for, those that words have beside their neighbours are taken."""
    vocabulary = load_vocabulary()
    options = np.zeros((40, 4), np.uint8)
    for place, character in enumerate(word):
        options[place] = choices()[ord(character)] if not character.isalpha() else [0, ord(character), 0, 0]
    letters = np.zeros(40, np.uint8)
    cost = best_spelling(options, len(word), letters, vocabulary.keys, vocabulary.values)
    assert letters[: len(word)].tobytes().decode() == spelled
    assert 0 < cost <= 45 * (len(word) + 1)
