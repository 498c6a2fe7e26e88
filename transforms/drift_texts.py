"""Texts measured for drift: their length, emoji and repetition, and how many of their words are not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.buffers import string_buffers
from transforms.kernels.hashing import hash_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from transforms.normalisation import NormalisedTexts

#: What is no letter, mark or digit parts words.
_BETWEEN = r"[^\p{L}\p{M}\p{N}]+"


def word_hashes(texts: pa.StringArray) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the 64-bit hashes of all words of normalised texts, text by text, and how many words each text has."""
    spaced = pc.utf8_trim_whitespace(pc.replace_substring_regex(texts, _BETWEEN, " "))
    lists = pc.split_pattern(spaced, " ")
    words = lists.flatten()
    hashes = np.empty(len(words), np.uint64)
    hash_rows(*string_buffers(words), hashes)
    counts = pc.list_value_length(lists).to_numpy().astype(np.int64)
    # A text without words is split into one empty one, whose hash is 0.
    counts[pc.equal(spaced, "").to_numpy(zero_copy_only=False)] = 0
    return hashes[hashes != 0], counts


def text_measures(
    texts: NormalisedTexts, known: NDArray[np.uint64] | None
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.uint64]]:
    """Return the measures of texts (transforms.drift_measures), and the hashes of their words.

    `known` are the sorted hashes of known words; without it `unknown_words` is NaN, as it is for a text without words.
    """
    hashes, counts = word_hashes(texts.normalised)
    rows = np.repeat(np.arange(len(counts)), counts)
    worded = counts > 0
    unknown = np.full(len(counts), np.nan)
    if known is not None:
        unknown[worded] = _sums(~is_known(hashes, known), rows, len(counts))[worded] / counts[worded]
    repetition = np.full(len(counts), np.nan)
    repetition[worded] = 1 - _distinct(hashes, rows, len(counts))[worded] / counts[worded]
    measures = {
        "unknown_words": unknown,
        "words": counts.astype(np.float64),
        "characters": pc.utf8_length(texts.composed).to_numpy().astype(np.float64),
        "emoji": texts.emoji_counts.to_numpy().astype(np.float64),
        "repetition": repetition,
    }
    return measures, hashes


def is_known(hashes: NDArray[np.uint64], known: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Tell which hashes are among the sorted `known`."""
    if not len(known):
        return np.zeros(len(hashes), np.bool_)
    places = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    found: NDArray[np.bool_] = known[places] == hashes
    return found


def _sums(holds: NDArray[np.bool_], rows: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    return np.bincount(rows[holds], minlength=count).astype(np.float64)


def _distinct(hashes: NDArray[np.uint64], rows: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    order = np.lexsort((hashes, rows))
    held, own = hashes[order], rows[order]
    first = np.ones(len(held), np.bool_)
    first[1:] = (held[1:] != held[:-1]) | (own[1:] != own[:-1])
    return np.bincount(own[first], minlength=count).astype(np.float64)
