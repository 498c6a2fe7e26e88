"""Normalisation against a loop over characters."""

from __future__ import annotations

import re
import unicodedata

import emoji
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.buffers import string_array, string_buffers
from transforms.conformance import TEXTS
from transforms.kernels.text import clean
from transforms.mood_lexicon import MoodEntry
from transforms.mood_table import build_table
from transforms.normalisation import MAX_CHARACTERS, count_emojis, normalise

_INVISIBLE = re.compile(
    r"[\u00ad\u0300-\u036f\u061c\u115f\u1160\u180e\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    r"\u20d0-\u20e2\u20e4-\u20f0\ufe00-\ufe0f\ufe20-\ufe2f\ufeff\U000e0000-\U000e0fff]"
)
_WORD = r"[a-z0-9_\x80-\U0010ffff]"


def _mention(folded: str, position: int) -> re.Match[str] | None:
    """A mention that begins here and is no letter of a disguised word."""
    found = re.compile(rf"@{_WORD}+").match(folded, position)
    if found is None or re.search(rf"({_WORD}[+|]|\$)\Z", folded[:position]):
        return None
    amid = re.search(r"[+|]\Z", folded[:position]) and re.match(r"[+$]", folded[found.end() :])
    return None if amid else found


def _oracle(text: str) -> str:
    """The same cleaning by Python strings, one character at a time."""
    folded = unicodedata.normalize(
        "NFKC", unicodedata.normalize("NFKC", text[:MAX_CHARACTERS])[:MAX_CHARACTERS].lower()
    )
    out: list[str] = []
    run = 0
    border = True
    last = ""
    position = 0
    while position < len(folded):
        character = folded[position]
        if character <= " " or character == "\x7f":
            if out and out[-1] > " ":
                out.append(" ")
                last = ""
            elif out:
                out[-1] = "\n"
            border = True
            position += 1
            continue
        url = re.compile(r"https?://|www\.(?=[\s\S])").match(folded, position) if border else None
        mention = _mention(folded, position) if border else None
        if url:
            position = re.compile(r"[^\x00-\x20]*").match(folded, position).end()  # type: ignore[union-attr]
            out.append("://")
            last = ""
            continue
        if mention:
            position = mention.end()
            out.append("@")
            last = ""
            continue
        position += 1
        if _INVISIBLE.match(character):
            continue
        border = not re.match(_WORD, character)
        run = run + 1 if character == last else 1
        last = character
        ill = character == "1" and run == 3 and re.search(r"[a-z]\+?11\Z", "".join(out))
        if run <= 2 or (ill and not re.match(_WORD, folded[position:])):
            out.append(character)
    joined = "".join(out)
    return joined.removesuffix(" ").removesuffix("\n")


_PIECES = st.sampled_from(
    [
        "http://x.y",
        "www.a",
        "https://",
        "http:/",
        "@bob",
        "@",
        "@é",
        "aaa",
        "é" * 4,
        " ",
        "\t\n",
        "\u200b",
        "\ufeff",
        "😂" * 3,
        "A",
        "ﬁ",
        "İ",
        "ΑΣ",
        "\0",
        "x@y",
        "!!!!",
        "\u00ad",
        "a$@b",
        "e\u0301\u0335\u0336",
        "f.u.c.k",
        "i d i o t",
        "h4te",
        "\u0441\u043e\u0440",
        "kekw",
        "111",
        "+111",
        "st",
        "|@5+",
    ]
)
_TEXTS = st.lists(_PIECES | st.text(st.characters(codec="utf-8"), max_size=5), max_size=8).map("".join)


@settings(deadline=None)
@given(st.lists(_TEXTS, max_size=6))
def test_against_a_loop_over_characters(texts: list[str]) -> None:
    """The kernel cleans as the loop over Python strings does."""
    folded = normalise(pa.array(texts, pa.string())).folded
    values, offsets = string_buffers(folded)
    out = np.empty(len(values) + 1, np.uint8)
    out_offsets = np.empty(len(texts) + 1, np.int32)
    clean(values, offsets, out, out_offsets)
    assert string_array(out, out_offsets).to_pylist() == [_oracle(text) for text in texts]


MOODS = build_table([MoodEntry(token="KEKW", mood="laugh"), MoodEntry(token="😂", mood="laugh")])


@settings(deadline=None)
@given(st.lists(_TEXTS, max_size=6))
def test_rows_are_independent(texts: list[str]) -> None:
    """A row gives the same alone, in any batch and in a slice of one; what comes is valid UTF-8."""
    together = normalise(pa.array(["x", *texts], pa.string()).slice(1), MOODS)
    together.normalised.validate(full=True)
    for row, text in enumerate(texts):
        alone = normalise(pa.array([text], pa.string()), MOODS)
        assert alone.normalised[0] == together.normalised[row]
        assert alone.keys[0] == together.keys[row]
        assert alone.clusters[0] == together.clusters[row]


def test_hostile_texts() -> None:
    """The texts that strategies are tried on, with the lexicon that ships."""
    result = normalise(pa.array(TEXTS))
    result.normalised.validate(full=True)
    assert len(result.normalised) == len(TEXTS)


@pytest.mark.parametrize(
    ("text", "normalised"),
    [
        ("Sooooo   COOL!!!!", "soo cool!!"),
        ("see https://a.b/c?d and www.e.f now", "see :// and :// now"),
        ("@User_1: hi, mail me@home", "@: hi, mail me@home"),
        ("f\u200bu\u200dn", "fun"),
        ("ＦＵＬＬ ｗｉｄｔｈ", "full width"),  # noqa: RUF001 - full-width letters are what is tested
        ("", ""),
    ],
)
def test_examples(text: str, normalised: str) -> None:
    """What normalisation is for."""
    assert normalise(pa.array([text]), MOODS).normalised.to_pylist() == [normalised]


def test_keys_and_clusters() -> None:
    """Keys tell texts apart after normalisation, clusters by their letters alone."""
    result = normalise(
        pa.array(["Buy NOW!! http://a", "buy now!!  http://b", "buy now 123 @me", "buy it", "12 34", ""])
    )
    keys = result.keys.to_pylist()
    assert keys[0] == keys[1]
    assert len(set(keys)) == 5
    assert keys[5] == 0
    clusters = result.clusters.to_pylist()
    assert len(set(clusters[:3])) == 1
    assert clusters[3] not in clusters[:3]
    assert clusters[4:] == ["", ""]


def test_lengthy_text() -> None:
    """A megabyte is cut at the limit, between characters."""
    result = normalise(pa.array(["ab" * 500_000, "é" * 100_000, "ﷺ" * 4_096]))
    assert [len(text) for text in result.composed.to_pylist()] == [MAX_CHARACTERS] * 3


def test_every_emoji_is_one() -> None:
    """Each sequence of the emoji library counts one."""
    known = list(emoji.EMOJI_DATA)
    assert count_emojis(pa.array(known)).to_pylist() == [1] * len(known)


_SEQUENCES = st.lists(st.sampled_from(["😂", "👨‍👩‍👧‍👦", "👍🏽", "🇺🇳", "1️⃣", "a", " ", "é", "123", "…"]), max_size=8)


@given(_SEQUENCES)
def test_emoji_against_the_library(pieces: list[str]) -> None:
    """Emoji in text are counted as the library counts them."""
    text = "".join(pieces)
    assert count_emojis(pa.array([text])).to_pylist() == [emoji.emoji_count(text)]
