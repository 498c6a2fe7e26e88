"""Scripts by their code points, and the languages that each can be told as."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from transforms.languages.codes import UNDETERMINED

if TYPE_CHECKING:
    from numpy.typing import NDArray

APOSTROPHE = "'"

#: Code points that have a place in the table; beyond it lie historic scripts, symbols and rare ideographs.
POINTS = 0x10000


@dataclass(frozen=True)
class Script:
    """A script: its blocks of code points, and the model's languages with the ISO 639-1 code that each is told as.

    The languages of one script share columns of the table. A language told as 'und' is there to draw texts away.
    """

    name: str
    blocks: tuple[tuple[int, int], ...]
    languages: tuple[tuple[str, str], ...]


def _told(codes: str, **others: str) -> tuple[tuple[str, str], ...]:
    return (*((code, code) for code in codes.split()), *others.items())


#: Scripts that several languages share: an n-gram model decides. Neighbours that no short text tells apart are one.
MODELLED = (
    Script(
        "Latin",
        ((0x41, 0x24F), (0x1E00, 0x1EFF)),
        _told(
            "en de es fr pt it nl sv da no fi pl cs sk hu ro tr id tl vi ca hr sl et lt lv is",
            pcm="en",
            ms="id",
            bs="hr",
            nn="no",
            zxx=UNDETERMINED,
        ),
    ),
    Script("Cyrillic", ((0x400, 0x52F),), _told("ru uk be bg sr mk kk ky tg mn tt", ba=UNDETERMINED)),
    Script(
        "Arabic",
        ((0x620, 0x6FF), (0x750, 0x77F)),
        _told("ar fa ur ps ug", arz="ar", ary="ar", sdh=UNDETERMINED),
    ),
    Script("Devanagari", ((0x900, 0x97F),), _told("hi mr ne sa")),
)
#: Columns of the table, a multiple of the eight that the kernel adds up at once.
WIDTH = -(-max(len(script.languages) for script in MODELLED) // 8) * 8
#: Scripts of one language, or of one that outweighs its neighbours by far.
SINGLE = (
    Script("Han", ((0x3005, 0x3005), (0x3400, 0x4DBF), (0x4E00, 0x9FFF)), _told("zh")),
    Script("Kana", ((0x3041, 0x3096), (0x30A1, 0x30FA), (0x30FC, 0x30FC)), _told("ja")),
    Script("Hangul", ((0xAC00, 0xD7A3),), _told("ko")),
    Script("Greek", ((0x370, 0x3FF), (0x1F00, 0x1FFF)), _told("el")),
    Script("Hebrew", ((0x5D0, 0x5EA),), _told("he")),
    Script("Thai", ((0xE01, 0xE4E),), _told("th")),
    Script("Lao", ((0xE81, 0xECD),), _told("lo")),
    Script("Khmer", ((0x1780, 0x17D3),), _told("km")),
    Script("Myanmar", ((0x1000, 0x103F),), _told("my")),
    Script("Georgian", ((0x10D0, 0x10FA),), _told("ka")),
    Script("Armenian", ((0x531, 0x587),), _told("hy")),
    Script("Ethiopic", ((0x1200, 0x135A),), _told("am")),
    Script("Bengali", ((0x980, 0x9E3),), _told("bn")),
    Script("Gurmukhi", ((0xA00, 0xA74),), _told("pa")),
    Script("Gujarati", ((0xA80, 0xAE3),), _told("gu")),
    Script("Oriya", ((0xB00, 0xB63),), _told("or")),
    Script("Tamil", ((0xB80, 0xBCD),), _told("ta")),
    Script("Telugu", ((0xC00, 0xC63),), _told("te")),
    Script("Kannada", ((0xC80, 0xCE3),), _told("kn")),
    Script("Malayalam", ((0xD00, 0xD63),), _told("ml")),
    Script("Sinhala", ((0xD80, 0xDF3),), _told("si")),
)
SCRIPTS = (*MODELLED, *SINGLE)
#: Places in SCRIPTS that the kernel treats apart: Japanese mixes Kana with Han.
HAN, KANA = len(MODELLED), len(MODELLED) + 1

#: Every code that can be told; a place in it is what the kernel writes.
CODES = (UNDETERMINED, *sorted({code for script in SCRIPTS for _, code in script.languages} - {UNDETERMINED}))


@cache
def code_points() -> NDArray[np.uint8]:
    """Return for each code point below POINTS the place of its script in SCRIPTS + 1, 0 where it is no letter."""
    scripts = np.zeros(POINTS, np.uint8)
    for place, script in enumerate(SCRIPTS, start=1):
        for first, last in script.blocks:
            for point in range(first, last + 1):
                # Vowel signs are marks, and as much a part of a word as letters.
                if unicodedata.category(chr(point))[0] in "LM":
                    scripts[point] = place
    return scripts
