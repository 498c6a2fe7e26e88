"""Names in texts: aliases of known entities and tags by their shape, a batch of joined texts at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.buffers import string_array, string_buffers
from transforms.kernels.spans import copy_spans, find_tags, leftmost_longest, whole_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from transforms.knowledge_base import AliasTable

_UNLINKED = -1
#: The shortest tag is two bytes.
_MIN_TAG_BYTES = 2


@dataclass(frozen=True)
class _Spans:
    """Places in the joined bytes, and the number of the alias found there (-1 for a tag)."""

    rows: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    aliases: NDArray[np.int64]

    def pick(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> _Spans:
        return _Spans(self.rows[which], self.starts[which], self.ends[which], self.aliases[which])


def find_entities(
    composed: pa.StringArray, folded: pa.StringArray, table: AliasTable
) -> tuple[pa.ListArray, pa.ListArray]:
    """Return (names, links) of each text: surfaces in order of appearance, and an entity id or '' for each.

    `folded` is `composed` in lower case. Overlapping names: the leftmost, of those the longest; a tag that is an
    alias links to its entity.
    """
    values, offsets = string_buffers(folded)
    aliases = _find_aliases(values, offsets, table)
    tags = _link_tags(_find_tags(values, offsets), aliases)
    spans = _Spans(
        np.concatenate([aliases.rows, tags.rows]),
        np.concatenate([aliases.starts, tags.starts]),
        np.concatenate([aliases.ends, tags.ends]),
        np.concatenate([aliases.aliases, tags.aliases]),
    )
    spans = spans.pick(np.lexsort((-spans.aliases, -spans.ends, spans.starts)))
    kept = np.empty(len(spans.rows), np.bool_)
    leftmost_longest(spans.starts, spans.ends, kept)
    spans = spans.pick(kept)
    counts = np.bincount(spans.rows, minlength=len(folded))
    lists = pa.array(np.concatenate([[0], np.cumsum(counts)]).astype(np.int32))
    links = pa.array([*table.links, ""]).take(pa.array(np.where(spans.aliases < 0, len(table.links), spans.aliases)))
    return (
        pa.ListArray.from_arrays(lists, _surfaces(composed, folded, spans)),
        pa.ListArray.from_arrays(lists, links),
    )


def _find_aliases(values: NDArray[np.uint8], offsets: NDArray[np.int32], table: AliasTable) -> _Spans:
    first = int(offsets[0])
    joined = values[first : offsets[-1]].data
    # Overlapping matches, so that one across two texts or inside a word hides no true one.
    found = table.automaton.find_matches_as_indexes(joined, overlapping=True)
    matches = np.array(found, np.int64).reshape(-1, 3)
    starts = np.ascontiguousarray(matches[:, 1]) + first
    ends = np.ascontiguousarray(matches[:, 2]) + first
    rows = np.searchsorted(offsets, starts, side="right").astype(np.int64) - 1
    whole = np.empty(len(rows), np.bool_)
    whole_words(values, offsets, rows, starts, ends, whole)
    return _Spans(rows, starts, ends, matches[:, 0]).pick(whole)


def _find_tags(values: NDArray[np.uint8], offsets: NDArray[np.int32]) -> _Spans:
    room = int(offsets[-1] - offsets[0]) // _MIN_TAG_BYTES + 1
    rows, starts, ends = (np.empty(room, np.int64) for _ in range(3))
    count = find_tags(values, offsets, rows, starts, ends)
    return _Spans(rows[:count], starts[:count], ends[:count], np.full(count, _UNLINKED, np.int64))


def _link_tags(tags: _Spans, aliases: _Spans) -> _Spans:
    """Give a tag the alias that it is, with its sigil or without."""
    if not len(tags.rows) or not len(aliases.rows):
        return tags
    order = np.lexsort((aliases.ends, aliases.starts))
    known = aliases.pick(order)
    linked = tags.aliases.copy()
    for shift in (1, 0):
        # A span as one number: start, then length; texts are at most some thousand bytes long.
        wanted = (tags.starts + shift) * _SPAN + (tags.ends - tags.starts - shift)
        have = known.starts * _SPAN + (known.ends - known.starts)
        place = np.minimum(np.searchsorted(have, wanted), len(have) - 1)
        linked = np.where(have[place] == wanted, known.aliases[place], linked)
    return _Spans(tags.rows, tags.starts, tags.ends, linked)


_SPAN = 1 << 20


def _surfaces(composed: pa.StringArray, folded: pa.StringArray, spans: _Spans) -> pa.StringArray:
    """Copy the names as they were written; in lower case in a text whose length in bytes lowering changed."""
    _, folded_offsets = string_buffers(folded)
    moved = np.diff(string_buffers(composed)[1]) != np.diff(folded_offsets)
    source = pc.if_else(pa.array(moved), folded, composed) if moved.any() else composed
    values, offsets = string_buffers(source)
    lengths = spans.ends - spans.starts
    starts = spans.starts - folded_offsets[spans.rows] + offsets[spans.rows]
    out_offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    copied = np.empty(int(out_offsets[-1]), np.uint8)
    copy_spans(values, starts, starts + lengths, copied)
    return string_array(copied, out_offsets)
