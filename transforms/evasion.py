"""Attacks on a text's words as those who dodge a filter write them, to measure what normalisation undoes.

The substitutions are lists of their own, independent of the tables that undo them.
"""
# ruff: noqa: RUF001 - characters that are taken for others are what this is about

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

import pyarrow as pa

from schemas.errors import EchoPulseError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: How likely a word is attacked, and each of its letters that can be replaced (at least one is).
WORD_RATE = 0.5
LETTER_RATE = 0.6

#: A link, mention or hashtag is never attacked; a word of four or more letters may be.
_WORD = re.compile(r"(?:https?://|www\.)\S+|[@#]\w+|(?<![\w@#$&;])[A-Za-z]{4,}(?![\w@$])")

_LEET = {
    "a": "4@",
    "b": "8",
    "e": "33",
    "g": "96",
    "i": "1!|",
    "l": "1|",
    "o": "0",
    "s": "5$",
    "t": "7+",
    "z": "2",
}
_GLYPHS = {
    "a": "аɑα",
    "b": "Ьʙ",
    "c": "сϲᴄ",
    "d": "ԁɗ",
    "e": "еєɛ",
    "g": "ɡԍ",
    "h": "һհ",
    "i": "іιı",
    "j": "јϳ",
    "k": "кκᴋ",
    "l": "ӏʟ",
    "m": "мᴍ",
    "n": "пոη",
    "o": "оοօ",
    "p": "рρ",
    "q": "ԛ",
    "r": "гʀ",
    "s": "ѕꜱ",
    "t": "тτᴛ",
    "u": "υս",
    "v": "νѵ",
    "w": "ԝω",
    "x": "хχ",
    "y": "уγ",
    "z": "ᴢ",
}
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u2063"
_SEPARATORS = " .-_*"


def evade(texts: pa.StringArray, attack: str, seed: int) -> pa.StringArray:
    """Disguise words of four or more letters, each with probability WORD_RATE; the same for the same seed.

    `leetspeak` puts digits and signs for letters, `spacing` one separator between all letters, `homoglyph` look-alikes
    of other scripts, `zero_width` invisible characters. Raises EchoPulseError for an unknown attack.
    """
    if attack not in _ATTACKS:
        raise EchoPulseError(f"'{attack}' is no attack", did_you_mean(attack, ATTACKS))
    disguise = _ATTACKS[attack]
    # A loop over rows: this makes test data, where no time is measured. Each row by its own generator.
    return pa.array(
        [_attacked(text, disguise, random.Random(f"{seed} {row}")) for row, text in enumerate(texts.to_pylist())],  # noqa: S311 - no secret
        pa.string(),
    )


def _attacked(text: str, disguise: Callable[[str, random.Random], str], chance: random.Random) -> str:
    def replaced(found: re.Match[str]) -> str:
        word = found[0]
        return disguise(word, chance) if word.isalpha() and chance.random() < WORD_RATE else word

    return _WORD.sub(replaced, text)


def _substituted(word: str, glyphs: Mapping[str, str], chance: random.Random) -> str:
    places = [place for place, letter in enumerate(word) if letter.lower() in glyphs]
    if not places:
        return word
    chosen = {place for place in places if chance.random() < LETTER_RATE} or {chance.choice(places)}
    return "".join(
        chance.choice(glyphs[letter.lower()]) if place in chosen else letter for place, letter in enumerate(word)
    )


def _leetspeak(word: str, chance: random.Random) -> str:
    # An @ ahead would make a mention of the word.
    disguised = _substituted(word, _LEET, chance)
    return "4" + disguised[1:] if disguised.startswith("@") else disguised


def _homoglyph(word: str, chance: random.Random) -> str:
    return _substituted(word, _GLYPHS, chance)


def _spacing(word: str, chance: random.Random) -> str:
    return chance.choice(_SEPARATORS).join(word)


def _zero_width(word: str, chance: random.Random) -> str:
    return word[0] + "".join(
        chance.choice(_INVISIBLE) + letter if chance.random() < LETTER_RATE else letter for letter in word[1:]
    )


_ATTACKS: dict[str, Callable[[str, random.Random], str]] = {
    "leetspeak": _leetspeak,
    "spacing": _spacing,
    "homoglyph": _homoglyph,
    "zero_width": _zero_width,
}

#: The attacks there are.
ATTACKS = tuple(_ATTACKS)
