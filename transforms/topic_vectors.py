"""Vectors of messages: what their words are about by a table of words, which words they share, and whom they answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from transforms.buffers import string_buffers
from transforms.kernels.terms import EMOTE, find_terms
from transforms.terms import stop_words

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from transforms.terms import Terms

_TABLE = Path(__file__).parent / "knowledge" / "topics.npz"
_NONE = np.zeros(0, np.int64)
#: Dimensions into which shared terms are hashed, and how much they weigh beside the topics.
_TERM_BITS = 6
TERM_WEIGHT = 0.5
#: How much of the message that it answers a reply takes on.
REPLY_WEIGHT = 0.7


@dataclass(frozen=True)
class TopicTable:
    """Words by their hash (ascending), with a vector [words, dimensions] each: weight of the word times direction."""

    hashes: NDArray[np.int64]
    vectors: NDArray[np.float32]


@cache
def topic_table() -> TopicTable:
    """Load the table that ships with the project."""
    with np.load(_TABLE, allow_pickle=False) as stored:
        return TopicTable(stored["hashes"], stored["vectors"].astype(np.float32) * stored["scales"])


def message_vectors(texts: pa.StringArray, terms: Terms, segment: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return a unit vector [messages, dimensions] of each text, zero for one that says nothing."""
    table = topic_table()
    rows, hashes = _topic_words(texts)
    place = np.minimum(np.searchsorted(table.hashes, hashes), len(table.hashes) - 1)
    known = table.hashes[place] == hashes
    topics = np.zeros((len(texts), table.vectors.shape[1]), np.float32)
    np.add.at(topics, rows[known], table.vectors[place[known]])
    return unit(np.concatenate([unit(topics), TERM_WEIGHT * unit(_shared_terms(terms, segment, len(texts)))], axis=1))


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale rows to length 1; zero rows stay."""
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    scaled: NDArray[np.float32] = vectors / np.where(lengths > 0, lengths, 1)[:, None]
    return scaled


def with_replies(vectors: NDArray[np.float32], target: NDArray[np.int64]) -> NDArray[np.float32]:
    """Let each message that answers another (`target`: its row, -1 for none) take on some of what that is about."""
    answering = np.flatnonzero(target >= 0)
    joined = vectors.copy()
    joined[answering] += REPLY_WEIGHT * vectors[target[answering]]
    return unit(joined)


def spread_tags(texts: pa.StringArray) -> pa.StringArray:
    """Return texts in lower case, hashtags taken apart where capitals begin."""
    apart = pc.replace_substring(pc.replace_substring_regex(texts, r"([a-z])([A-Z])", r"\1 \2"), "#", " ")
    return pc.utf8_lower(apart)


def find_words(lower: pa.StringArray) -> NDArray[np.int64]:
    """Return row, hash, start and end of each word in texts of `spread_tags` [4, words]; stop words are none."""
    values, offsets = string_buffers(lower)
    room = (int(offsets[-1]) - int(offsets[0])) // 2 + len(lower) + 1
    found, skeletons = np.empty((5, room), np.int64), np.empty(len(lower), np.int64)
    count = find_terms(values, offsets, values, offsets, stop_words(), _NONE, found, skeletons)
    return found[:4, :count]


def _topic_words(texts: pa.StringArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return row and hash of each distinct word of the texts."""
    rows, hashes = find_words(spread_tags(texts))[:2]
    order = np.lexsort((hashes, rows))
    rows, hashes = rows[order], hashes[order]
    new = np.ones(len(rows), np.bool_)
    new[1:] = (rows[1:] != rows[:-1]) | (hashes[1:] != hashes[:-1])
    return rows[new], hashes[new]


def _shared_terms(terms: Terms, segment: NDArray[np.int64], count: int) -> NDArray[np.float32]:
    """Return the terms of each message, hashed with a sign, by tf-idf in its segment; only what two messages share."""
    rows, hashes = terms.rows[terms.kinds != EMOTE], terms.hashes[terms.kinds != EMOTE]
    order = np.lexsort((rows, hashes, segment[rows]))
    rows, hashes = rows[order], hashes[order]
    own = segment[rows]
    again = np.zeros(len(rows), np.bool_)
    again[1:] = (rows[1:] == rows[:-1]) & (hashes[1:] == hashes[:-1])
    rows, hashes, own = rows[~again], hashes[~again], own[~again]
    new = np.ones(len(rows), np.bool_)
    new[1:] = (own[1:] != own[:-1]) | (hashes[1:] != hashes[:-1])
    group = np.cumsum(new) - 1
    used = np.bincount(group, minlength=1)[group]
    sizes = np.bincount(segment, minlength=int(segment.max(initial=0)) + 1)[own]
    weights = np.where(used > 1, np.log1p(sizes / used), 0).astype(np.float32)
    mixed = hashes.view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    places = (mixed >> np.uint64(64 - _TERM_BITS)).astype(np.int64)
    signs = np.where(mixed & np.uint64(1 << 20), 1, -1)
    vectors = np.zeros((count, 1 << _TERM_BITS), np.float32)
    np.add.at(vectors, (rows, places), weights * signs)
    return vectors
