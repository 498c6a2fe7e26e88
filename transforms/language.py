"""The language of short texts: the script decides first, then an n-gram model among the languages of that script.

The model is py3langid's (Adrien Barbaresi, after Marco Lui's langid.py; BSD 3-Clause, its text in
transforms/languages/LICENSE.md): naive Bayes over byte n-grams found by the longest match. transforms/languages/
derive.py keeps the commoner grams that lower-case words of our scripts can hold, and rounds their weights to a byte.
Three things are other than there: each gram counts once, since chat repeats itself, only letters are read, and a text
with several English function words is English without the model.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.buffers import string_buffers
from transforms.kernels.bag import ZERO
from transforms.kernels.keys import hash_strings
from transforms.kernels.language import MARKS, fill_slots, likeliest
from transforms.languages.function_words import ENGLISH
from transforms.languages.scripts import CODES, HAN, KANA, MODELLED, SCRIPTS, WIDTH, code_points

if TYPE_CHECKING:
    from numpy.typing import NDArray

TABLE = Path(__file__).parent / "languages" / "table.npz"
#: Steps of a weight in one unit of natural logarithm.
WEIGHTS_PER_UNIT = 12
#: A gram counts once, and naive Bayes here weighs log(1 + count).
_UNIT = float(np.log(2)) / WEIGHTS_PER_UNIT

#: Probabilities from which on a language is told. English needs little: most chat is, and no model abstains from it.
ENGLISH_FROM, LATIN_FROM, OTHER_FROM = 0.3, 0.6, 0.5
#: What a language in Latin letters other than English is told by at least: emotes and names look like anything.
FEWEST_WORDS, FEWEST_LETTERS = 2, 8
#: English function words from which on a text is English without the model.
FEWEST_ENGLISH = 3
_WORD_SLOTS = 1 << 12


_CODES = pa.array(CODES, pa.string())
_LATIN = np.isin(CODES, [code for _, code in MODELLED[0].languages if code != "en"])
_LEAST = np.where(_LATIN, LATIN_FROM, OTHER_FROM)
_LEAST[CODES.index("en")] = ENGLISH_FROM


class _Table(NamedTuple):
    slots: NDArray[np.uint64]
    shift: np.uint64
    marks: NDArray[np.uint8]
    weights: NDArray[np.uint64]
    codes: NDArray[np.int32]
    english: NDArray[np.uint64]


@cache
def _table() -> _Table:
    with np.load(TABLE, allow_pickle=False) as file:
        keys = file["keys"]
        weights = (file["weights"].view(np.uint8) ^ np.uint8(ZERO)).view(np.uint64)
    # At most two thirds full: a gram that is not there is known after a few steps within a line of the cache.
    bits = (len(keys) * 3 // 2).bit_length()
    slots = np.zeros(1 << bits, np.uint64)
    shift = np.uint64(64 - bits)
    marks = np.zeros(MARKS // 8, np.uint8)
    fill_slots(keys, shift, slots, marks)
    codes = np.full((len(SCRIPTS), WIDTH), -1, np.int32)
    for place, script in enumerate(SCRIPTS):
        codes[place, : len(script.languages)] = [CODES.index(code) for _, code in script.languages]
    hashes = np.empty(len(ENGLISH), np.int64)
    hash_strings(*string_buffers(pa.array(ENGLISH, pa.string())), hashes)
    english = np.zeros(_WORD_SLOTS, np.uint64)
    english[hashes.view(np.uint64) & np.uint64(_WORD_SLOTS - 1)] = hashes.view(np.uint64)
    return _Table(slots, shift, marks, weights, codes, english)


def identify(folded: pa.StringArray) -> pa.StringArray:
    """Tell the language of each text (lower-case NFKC, no nulls): its ISO 639-1 code, or 'und'; each row by itself.

    The first 64 bytes of letters tell; URLs, mentions, words with digits and emotes in colons do not count, nor
    letters that stand alone. Han without Kana is told as 'zh', Bengali script as 'bn'; Malay as 'id', Serbian and
    Bosnian in Latin letters as 'hr'.
    """
    values, offsets = string_buffers(folded)
    rows = len(folded)
    told = np.empty(rows, np.int32)
    confidences = np.empty(rows, np.float64)
    words = np.empty(rows, np.int32)
    letters = np.empty(rows, np.int32)
    slots, shift, marks, weights, codes, english = _table()
    likeliest(
        values,
        offsets,
        code_points(),
        HAN,
        KANA,
        codes,
        slots,
        shift,
        marks,
        weights,
        _UNIT,
        english,
        FEWEST_ENGLISH,
        told,
        confidences,
        words,
        letters,
    )
    brief = (words < FEWEST_WORDS) | (letters < FEWEST_LETTERS)
    sure = (confidences >= _LEAST[told]) & ~(brief & _LATIN[told])
    return pc.take(_CODES, pa.array(np.where(sure, told, 0)))
