"""The undoing of evasions against a slow one on strings."""
# ruff: noqa: RUF001 - look-alikes are what is tested

from __future__ import annotations

import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.transforms.naive_undoing import folded, undone
from transforms.evasion import ATTACKS, evade
from transforms.mood_table import build_table, cleaned
from transforms.normalisation import normalise

_MOODS = build_table([])
_WORDS = (
    *("hate", "stupid", "idiot", "people", "the", "go", "i", "a", "part", "level", "radiation", "conciliatory"),
    *("h4te", "sh1t", "a$$", "c0nc1l1at0ry", "3am", "6million", "game5", "ѕtuріd", "Ⲥool", "søn", "zorblax"),
)
_SIGNS = "0123456789@$!|+.-_*#/:?'& \n\t…"
_CHARACTERS = "abcdeghilnostuzABZбиаеоѕіјλωοłøəⲟⲣéßİ日한ａ\u200b\u0301\u2019\u20e3™😂🏽🇩"
_PIECES = st.one_of(
    st.sampled_from(_WORDS),
    st.sampled_from(_SIGNS),
    st.sampled_from(_CHARACTERS),
    st.characters(codec="utf-8"),
    st.lists(st.sampled_from("abhiteo4!"), min_size=2, max_size=9).flatmap(
        lambda letters: st.sampled_from(" .-_*").map(lambda mark: mark.join(letters))
    ),
)


def _undone(texts: list[str]) -> list[str]:
    told: list[str] = normalise(pa.array(texts, pa.string()), _MOODS).normalised.to_pylist()
    return told


@settings(max_examples=500)
@given(st.lists(st.lists(_PIECES, max_size=14).map("".join), min_size=1, max_size=5))
@example(["yⲟu are сⲟⲟl"])
@example(["Ã©criᴛսrе"])
@example(["w!|1 you st!11 do th!$"])
@example(["1" * 41 + "a", "l1" * 30, "x x x x", "a b c. d", "i d i o t😂k i l l"])
def test_texts(texts: list[str]) -> None:
    """Whatever is written, words come out as slow reading gives them."""
    assert _undone(texts) == [undone(cleaned(folded(text))) for text in texts]


@settings(max_examples=200)
@given(
    st.lists(st.lists(st.sampled_from(_WORDS), max_size=6).map(" ".join), min_size=1, max_size=4),
    st.sampled_from(ATTACKS),
    st.integers(0, 1000),
)
def test_attacked_texts(texts: list[str], attack: str, seed: int) -> None:
    """So do words that were disguised as by those who dodge a filter."""
    attacked = evade(pa.array(texts, pa.string()), attack, seed).to_pylist()
    assert _undone(attacked) == [undone(cleaned(folded(text))) for text in attacked]
