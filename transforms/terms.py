"""Terms of messages: words, hashtags and emotes by their shape, entities by the analysis, and each text's skeleton."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.buffers import string_array, string_buffers
from transforms.kernels.keys import hash_strings
from transforms.kernels.spans import copy_spans
from transforms.kernels.terms import EMOTE, ENTITY, HASHTAG, WORD, find_terms
from transforms.mood_lexicon import SHIPPED, read_moods

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from transforms.digest import Messages

__all__ = [
    "EMOTE",
    "ENTITY",
    "HASHTAG",
    "KIND_NAMES",
    "WORD",
    "Terms",
    "find_message_terms",
    "hash_words",
    "stop_words",
]

#: Names of the kinds of terms, by their number.
KIND_NAMES = ("entity", "hashtag", "emote", "word")
_STOP_WORDS = Path(__file__).parent / "knowledge" / "stop_words.txt"
_NONE = np.zeros(0, np.int64)
#: Entities are kept apart from words of the same letters.
_ENTITY_SALT = np.int64(0x51ED270B)


@dataclass(frozen=True)
class Terms:
    """Occurrences of terms: the row of the message, the term's hash and kind; `skeletons` are of all messages.

    Occurrences from `tokens` on are entities of `names`; those before are spans of `texts`.
    """

    rows: NDArray[np.int64]
    hashes: NDArray[np.int64]
    kinds: NDArray[np.uint8]
    skeletons: NDArray[np.int64]
    texts: pa.StringArray
    names: pa.StringArray
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    def surfaces(self, occurrences: NDArray[np.int64]) -> pa.StringArray:
        """Return the terms as they were written in some occurrences."""
        tokens = len(self.starts)
        values, _ = string_buffers(self.texts)
        spans = occurrences[occurrences < tokens]
        offsets = np.concatenate([[0], np.cumsum(self.ends[spans] - self.starts[spans])]).astype(np.int32)
        copied = np.empty(int(offsets[-1]), np.uint8)
        copy_spans(values, self.starts[spans], self.ends[spans], copied)
        both = pa.concat_arrays([string_array(copied, offsets), self.names])
        place = np.where(occurrences < tokens, np.cumsum(occurrences < tokens) - 1, len(spans) + occurrences - tokens)
        return both.take(pa.array(place))


def find_message_terms(messages: Messages) -> Terms:
    """Find the terms of all messages; those without a text have none."""
    kinds, lines_row, names, links = _note_lines(messages.notes)
    named = hash_words(names.filter(pa.array(kinds == ord("m"))))
    emotes = np.union1d(_known_emotes(), named) if len(named) else _known_emotes()
    lower = pc.utf8_lower(messages.texts)
    tokens, skeletons = _tokens(lower, messages.texts, stop_words(), emotes)
    entity = kinds == ord("e")
    entity_names = names.filter(pa.array(entity))
    entity_links = links.filter(pa.array(entity))
    keys = pc.if_else(pc.equal(entity_links, ""), pc.utf8_lower(entity_names), entity_links)
    hashes = np.empty(len(keys), np.int64)
    hash_strings(*string_buffers(keys), hashes)
    tagged = pc.starts_with(entity_names, "#").to_numpy(zero_copy_only=False)
    addressed = pc.starts_with(entity_names, "@").to_numpy(zero_copy_only=False)
    wanted = ~(addressed | tagged)
    rows = lines_row[entity][wanted]
    row, hash_, start, end, kind = tokens
    return Terms(
        np.concatenate([row, rows]),
        np.concatenate([hash_, hashes[wanted] ^ _ENTITY_SALT]),
        np.concatenate([kind.astype(np.uint8), np.full(len(rows), ENTITY, np.uint8)]),
        skeletons,
        _surface_texts(messages.texts, lower),
        entity_names.filter(pa.array(wanted)),
        start,
        end,
    )


def hash_words(words: pa.StringArray) -> NDArray[np.int64]:
    """Return the sorted hashes of words, as they are found in texts; what is no word has none."""
    tokens, _ = _tokens(pc.utf8_lower(words), pc.utf8_lower(words), _NONE, _NONE)
    hashes: NDArray[np.int64] = np.unique(tokens[1])
    return hashes


def _tokens(
    lower: pa.StringArray, written: pa.StringArray, stopped: NDArray[np.int64], emotes: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    values, offsets = string_buffers(lower)
    room = (int(offsets[-1]) - int(offsets[0])) // 2 + len(lower) + 1
    found, skeletons = np.empty((5, room), np.int64), np.zeros(len(lower), np.int64)
    count = find_terms(values, offsets, *string_buffers(written), stopped, emotes, found, skeletons)
    return found[:, :count], skeletons


def _note_lines(
    notes: pa.StringArray,
) -> tuple[NDArray[np.uint8], NDArray[np.int64], pa.StringArray, pa.StringArray]:
    """Take notes apart into lines: sort of each line, its row, name and id. A line that was cut off is left out."""
    lines = pc.split_pattern(notes, "\n")
    rows = np.repeat(np.arange(len(notes)), pc.list_value_length(lines).to_numpy())
    flat = lines.flatten()
    whole = pc.match_substring(flat, "\t").to_numpy(zero_copy_only=False)
    rows, flat = rows[whole], flat.filter(pa.array(whole))
    parts = pc.split_pattern(flat, "\t", max_splits=1).flatten()
    halves = np.arange(0, len(parts), 2)
    names = parts.take(pa.array(halves))
    values, offsets = string_buffers(names)
    sorts = values[offsets[:-1]] if len(names) else np.zeros(0, np.uint8)
    return sorts, rows, pc.utf8_slice_codeunits(names, 1), parts.take(pa.array(halves + 1))


def _surface_texts(written: pa.StringArray, lower: pa.StringArray) -> pa.StringArray:
    """Return texts in which the spans of `lower` lie at the same bytes, as they were written wherever that is so."""
    _, offsets = string_buffers(written)
    _, lower_offsets = string_buffers(lower)
    if np.array_equal(offsets, lower_offsets):
        return written
    return lower


@cache
def stop_words() -> NDArray[np.int64]:
    """Return the sorted hashes of words that say nothing of what a text is about."""
    return hash_words(pa.array(_STOP_WORDS.read_text(encoding="utf-8").split(), pa.string()))


@cache
def _known_emotes() -> NDArray[np.int64]:
    entries = [entry for path in SHIPPED if path.name == "emotes.jsonl" for entry in read_moods(path)]
    tokens = [entry.token for entry in entries if not entry.cased and entry.token.isalnum()]
    return hash_words(pa.array(tokens, pa.string()))
