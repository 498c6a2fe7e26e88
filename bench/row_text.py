"""Text normalised one string at a time with unicodedata and regular expressions; equal to transforms.normalisation."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import emoji

from transforms.kernels.bag import CHAR_SEED, PRIME
from transforms.normalisation import MAX_CHARACTERS

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]+")
_WORD = "a-z0-9_\u0080-\U0010ffff"
_LINK = re.compile(rf"(?<![{_WORD}])(?:(https?://|www\.(?=[\s\S]))[^\x00-\x20]*|(?:@[{_WORD}]+)+)")
_SPACE = re.compile("[\x00-\x20\x7f]+")
#: Stand for a link and a mention until runs are cut; halves of surrogates occur in no UTF-8 text.
_URL_MARK, _MENTION_MARK = "\ud800", "\ud801"
_RUN = re.compile(f"([^{_URL_MARK}{_MENTION_MARK}])\\1{{2,}}")
_NO_LETTER = re.compile(rb"[^a-z\x80-\xff]+")
_SEED, _PRIME, _MASK = int(CHAR_SEED), int(PRIME), (1 << 64) - 1
_SIGN = 1 << 63


@dataclass(frozen=True, slots=True)
class RowText:
    """One text, as NormalisedTexts has it in columns."""

    composed: str
    folded: str
    normalised: str
    key: int
    cluster: str
    emoji_count: int


def normalise_row(text: str) -> RowText:
    """Normalise one text."""
    text = text[:MAX_CHARACTERS]
    composed = unicodedata.normalize("NFKC", text)[:MAX_CHARACTERS]
    folded = unicodedata.normalize("NFKC", composed.lower())
    normalised = clean(folded)
    data = normalised.encode()
    letters = _NO_LETTER.sub(b"", data)
    return RowText(
        composed=composed,
        folded=folded,
        normalised=normalised,
        key=_signed(fnv1a(data)) if data else 0,
        cluster=f"{fnv1a(letters):016x}" if letters else "",
        emoji_count=0 if text.isascii() else emoji.emoji_count(text),
    )


def clean(folded: str) -> str:
    """Drop the invisible, reduce links and mentions to marks, white space to one space, runs to two."""
    text = _LINK.sub(_marked, _INVISIBLE.sub("", folded))
    text = _RUN.sub(r"\1\1", _SPACE.sub(" ", text).strip(" "))
    return text.replace(_URL_MARK, "://").replace(_MENTION_MARK, "@")


def fnv1a(data: bytes) -> int:
    """Return the 64-bit FNV-1a hash (http://www.isthe.com/chongo/tech/comp/fnv/)."""
    state = _SEED
    for byte in data:
        state = ((state ^ byte) * _PRIME) & _MASK
    return state


def _marked(found: re.Match[str]) -> str:
    return _URL_MARK if found[1] else _MENTION_MARK * found[0].count("@")


def _signed(number: int) -> int:
    return number - (1 << 64) if number >= _SIGN else number
