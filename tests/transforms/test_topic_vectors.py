"""Vectors of messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.transforms.crowd import messages_of
from transforms.terms import find_message_terms
from transforms.topic_vectors import message_vectors, topic_table, with_replies

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _vectors(*texts: str) -> NDArray[Any]:
    messages = messages_of([{"text": text} for text in texts])
    return message_vectors(messages.texts, find_message_terms(messages), messages.pane)


def test_the_table_is_sorted_and_whole() -> None:
    """Lookups go by bisection."""
    table = topic_table()
    assert (np.diff(table.hashes) > 0).all()
    assert table.vectors.shape == (len(table.hashes), 29)
    assert np.isfinite(table.vectors).all()


def test_vectors_have_length_one_or_none() -> None:
    """A text without words has no direction."""
    lengths = np.linalg.norm(_vectors("glaciers melt", "the of and", "", "🔥"), axis=1)
    assert lengths == pytest.approx([1, 0, 0, 0], abs=1e-6)


def test_like_topics_are_nearer_than_others() -> None:
    """Two texts on climate without a common word are nearer than climate and faith."""
    one, like, other = _vectors(
        "glaciers melt in a warming climate", "carbon emissions heat our planet", "pray in the church"
    )
    assert one @ like > one @ other


def test_a_hashtag_is_read_as_its_words() -> None:
    """Capitals begin words."""
    tagged, plain = _vectors("#ClimateChange", "climate change")
    assert tagged @ plain > 0.7


def test_shared_words_draw_together() -> None:
    """Words that the table lacks count where two messages have them."""
    vectors = _vectors("zorblax qwib", "zorblax vuum", "hnnk")
    assert vectors[0] @ vectors[1] > 0.5
    assert not vectors[2].any()


def test_replies_lean_towards_what_they_answer() -> None:
    """Others stay as they are."""
    vectors = np.eye(3, dtype=np.float32)
    leaning = with_replies(vectors, np.array([-1, 0, -1]))
    assert leaning[1] @ vectors[0] == pytest.approx(0.7 / np.sqrt(1.49), rel=1e-5)
    assert leaning[[0, 2]].tolist() == vectors[[0, 2]].tolist()
