"""Characters that pass for Latin letters, and digits and signs that stand for them, as a table that kernels read.

Letters after Unicode TR 39's confusables (https://www.unicode.org/reports/tr39/), as they look in lower case or as
capitals; what NFKC maps already (full-width, mathematical, circled letters) is not among them.
"""
# ruff: noqa: RUF001 - characters that are taken for others are what this is about

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Code points that the table covers.
POINTS = 0xAC00
#: Letters that a character may stand for, likeliest first.
CHOICES = 3
#: What a character is: a sign or digit, a look-alike, one that only resembles a letter, a letter of a Latin alphabet.
LEET, LOOKALIKE, RESEMBLING, EXTENDED = 1, 2, 3, 4

_LEET = {
    "0": "o",
    "1": "il",
    "2": "z",
    "3": "e",
    "4": "a",
    "5": "s",
    "6": "gb",
    "7": "t",
    "8": "b",
    "9": "g",
    "@": "a",
    "$": "s",
    "!": "il",
    "|": "li",
    "+": "t",
}

_LOOKALIKE = {
    # Cyrillic; lower case may be that of a look-alike capital.
    "а": "a", "в": "b", "с": "c", "ԁ": "d", "е": "e", "ѐ": "e", "ё": "e", "ғ": "f", "ԍ": "g", "һ": "h", "н": "h",
    "і": "i", "ї": "i", "ӏ": "li", "ј": "j", "к": "k", "қ": "k", "м": "m", "о": "o", "ө": "o", "р": "p", "ԛ": "q",
    "ѕ": "s", "т": "t", "ѵ": "v", "ԝ": "w", "х": "x", "ҳ": "x", "у": "y", "ү": "y", "ӯ": "y", "ѡ": "w", "ә": "e",
    "ҽ": "e", "ԉ": "n", "ҙ": "e", "ҫ": "c", "ԃ": "d", "ӕ": "a", "г": "r", "ѓ": "r", "ѳ": "o",
    # Greek.
    "α": "a", "ά": "a", "β": "b", "ϲ": "c", "δ": "d", "ε": "e", "έ": "e", "η": "nh", "ή": "nh", "ι": "i", "ί": "i",
    "ϊ": "i", "κ": "k", "μ": "mu", "ν": "vn", "ο": "o", "ό": "o", "π": "n", "ρ": "p", "σ": "o", "ς": "c", "τ": "t",
    "υ": "uyv", "ύ": "uyv", "ϋ": "uyv", "χ": "x", "ω": "w", "ώ": "w", "ζ": "z", "γ": "y", "ϳ": "j", "ϝ": "f",
    # Armenian, Cherokee, Latin beyond ASCII, phonetic and small capitals.
    "օ": "o", "ո": "n", "ս": "u", "հ": "h", "զ": "q", "ց": "g", "ք": "p", "ա": "w", "յ": "j", "լ": "l", "ռ": "n",
    "ꭰ": "d", "ɑ": "a", "ɐ": "a", "ʙ": "b", "ƅ": "b", "ƀ": "b", "ᴀ": "a", "ᴄ": "c", "ƈ": "c", "ᴅ": "d",
    "ɖ": "d", "ᴇ": "e", "ɘ": "e", "ƒ": "f", "ɡ": "g", "ɢ": "g",
    "ɠ": "g", "ǥ": "g", "ʜ": "h", "ɦ": "h", "ɪ": "i", "ɩ": "i", "ɨ": "i", "ᴊ": "j", "ʝ": "j",
    "ɉ": "j", "ᴋ": "k", "ʟ": "l", "ɭ": "l", "ƚ": "l", "ᴍ": "m", "ɱ": "m", "ɴ": "n",
    "ƞ": "n", "ᴏ": "o", "ɵ": "o", "ᴘ": "p", "ƿ": "p", "ɋ": "q", "ʀ": "r", "ɍ": "r",
    "ɽ": "r", "ᴛ": "t", "ƭ": "t", "ʈ": "t", "ᴜ": "u", "ʊ": "u", "ʋ": "v", "ᴠ": "v", "ᴡ": "w", "ɯ": "w",
    "ʏ": "y", "ɏ": "y", "ʎ": "y", "ᴢ": "z", "ƶ": "z", "ʐ": "z", "ȥ": "z", "ꜱ": "s", "ʂ": "s", "ƨ": "s",
    "ⲟ": "o", "ⲣ": "p", "ⲥ": "c", "ⲁ": "a", "ⲓ": "i", "ⲕ": "k", "ⲛ": "n", "ⲙ": "m", "ⲧ": "t", "ⲩ": "y", "ⲭ": "x",
}  # fmt: skip

#: They only resemble a letter, so they are read as one in a word that is mostly Latin otherwise.
_RESEMBLING = {
    "п": "n", "и": "nu", "й": "nu", "я": "r", "ш": "w", "щ": "w", "л": "n", "з": "e", "э": "e", "б": "b", "ч": "y",
    "ц": "u", "д": "d", "ь": "b", "ъ": "b", "ы": "bi", "ю": "o", "є": "e", "ж": "x", "ф": "o", "λ": "a", "θ": "o",
    "ξ": "e", "φ": "o", "ψ": "y", "ґ": "r", "ћ": "h", "ђ": "h", "џ": "u",
}  # fmt: skip

#: Letters of living Latin alphabets, read only where that gives a word of the vocabulary.
_EXTENDED = {
    "đ": "d", "ə": "e", "ǝ": "e", "ɛ": "e", "ħ": "h", "ı": "i", "ł": "l", "ŋ": "n",
    "ø": "o", "ɔ": "o", "ƙ": "k", "ɓ": "b", "ɗ": "d", "ŧ": "t", "ƴ": "y", "ɲ": "n",
}  # fmt: skip

_KINDS = ((LEET, _LEET), (LOOKALIKE, _LOOKALIKE), (RESEMBLING, _RESEMBLING), (EXTENDED, _EXTENDED))


@cache
def choices() -> NDArray[np.uint8]:
    """Return a table [POINTS, 1 + CHOICES]: what a code point is, then the letters it may stand for, 0 for none."""
    table = np.zeros((POINTS, 1 + CHOICES), np.uint8)
    for kind, letters in _KINDS:
        for character, read in letters.items():
            if ord(character) < POINTS:
                table[ord(character), : 1 + len(read)] = [kind, *read.encode()]
    return table
