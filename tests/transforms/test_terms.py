"""Terms of messages and the skeletons of texts."""

from __future__ import annotations

import numpy as np
import pytest

from tests.transforms.crowd import messages_of
from transforms.terms import KIND_NAMES, find_message_terms


def _terms(text: str, **fields: object) -> list[tuple[str, str]]:
    messages = messages_of([{"text": text, **fields}])
    terms = find_message_terms(messages)
    surfaces = terms.surfaces(np.arange(len(terms.rows))).to_pylist()
    return [(surface, KIND_NAMES[kind]) for surface, kind in zip(surfaces, terms.kinds.tolist(), strict=True)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the Boss fight", [("Boss", "word"), ("fight", "word")]),
        ("#OneLinePoem!", [("#OneLinePoem", "hashtag")]),
        ("@someone https://x.example/boss 42", []),
        ("PogChamp wow", [("PogChamp", "emote"), ("wow", "word")]),
        ("🔥🔥 ❤️", [("🔥", "emote"), ("🔥", "emote"), ("❤️", "emote")]),
        ("can't stop", [("can't", "word"), ("stop", "word")]),
        ("Äpfel señor", [("Äpfel", "word"), ("señor", "word")]),
        ("", []),
        ("#1 # ##", []),
    ],
)
def test_terms_by_their_shape(text: str, expected: list[tuple[str, str]]) -> None:
    """Words, hashtags and emotes are found as written; mentions, links, numbers and stop words are none."""
    assert _terms(text) == expected


def test_entities_and_emotes_of_the_analysis() -> None:
    """An entity is a term of its own; an emote that the platform names is one, whatever its shape."""
    found = _terms("faker widepeepo", entities=["faker", "@x", "#y"], entity_links=["p:1", "", ""], emotes="widepeepo")
    assert found == [("faker", "word"), ("widepeepo", "emote"), ("faker", "entity")]


def test_aliases_of_one_entity_are_one_term() -> None:
    """The id counts, not the surface."""
    rows = [{"entities": [name], "entity_links": ["game:lol"]} for name in ("LoL", "League of Legends")]
    assert len(set(find_message_terms(messages_of(rows)).hashes.tolist())) == 1


@pytest.mark.parametrize(
    "copy",
    [
        "free stuff here",
        "FREE stuff here!!! 🔥",
        "free stuff here 12",
        "@you free stuff here PogChamp",
        "freeee stuff here",
    ],
)
def test_copies_share_a_skeleton(copy: str) -> None:
    """Capitals, emoji, numbers, mentions, emotes and punctuation make no text another, nor do stretched letters."""
    original, other = find_message_terms(messages_of([{"text": "free stuff here"}, {"text": copy}])).skeletons.tolist()
    assert original == other


def test_texts_of_other_words_do_not() -> None:
    """The order of words counts; a text without any has its emotes, or no skeleton."""
    texts = ["a b", "b a", "🔥", "🔥 🔥", "...", ""]
    skeletons = find_message_terms(messages_of([{"text": text} for text in texts])).skeletons.tolist()
    assert len({*skeletons[:3]}) == 3
    assert skeletons[4:] == [0, 0]
