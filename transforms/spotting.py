"""Places of known names and of tags in joined texts, of those that overlap the leftmost and longest."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from transforms.kernels.spans import find_tags, leftmost_longest, whole_words

if TYPE_CHECKING:
    from ahocorasick_rs import BytesAhoCorasick
    from numpy.typing import NDArray

#: The alias of a tag that is none.
UNLINKED = -1

#: The shortest tag is two bytes.
_MIN_TAG_BYTES = 2
#: A span as one number is its start, then its length; texts are at most some thousand bytes long.
_SPAN = 1 << 20


@dataclass(frozen=True)
class Spans:
    """Places in the joined bytes, and the number of the alias found there (-1 for none)."""

    rows: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    aliases: NDArray[np.int64]

    def pick(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> Spans:
        """Return some of the spans."""
        return Spans(self.rows[which], self.starts[which], self.ends[which], self.aliases[which])

    @classmethod
    def joined(cls, first: Spans, second: Spans) -> Spans:
        """Return the spans of both, the first's first."""
        return cls(
            np.concatenate([first.rows, second.rows]),
            np.concatenate([first.starts, second.starts]),
            np.concatenate([first.ends, second.ends]),
            np.concatenate([first.aliases, second.aliases]),
        )


def find_spans(values: NDArray[np.uint8], offsets: NDArray[np.int32], automaton: BytesAhoCorasick) -> Spans:
    """Find the aliases that stand as whole words in texts in lower case, and the tags; a tag may be an alias."""
    aliases = _find_aliases(values, offsets, automaton)
    tags = _link_tags(_find_tags(values, offsets), aliases)
    found = Spans.joined(aliases, tags)
    found = found.pick(np.lexsort((-found.aliases, -found.ends, found.starts)))
    kept = np.empty(len(found.rows), np.bool_)
    leftmost_longest(found.starts, found.ends, kept)
    return found.pick(kept)


def _find_aliases(values: NDArray[np.uint8], offsets: NDArray[np.int32], automaton: BytesAhoCorasick) -> Spans:
    first = int(offsets[0])
    joined = values[first : offsets[-1]].data
    # Overlapping matches, so that one across two texts or inside a word hides no true one.
    found = automaton.find_matches_as_indexes(joined, overlapping=True)
    matches = np.fromiter(chain.from_iterable(found), np.int64, 3 * len(found)).reshape(-1, 3)
    starts = np.ascontiguousarray(matches[:, 1]) + first
    ends = np.ascontiguousarray(matches[:, 2]) + first
    rows = np.searchsorted(offsets, starts, side="right").astype(np.int64) - 1
    whole = np.empty(len(rows), np.bool_)
    whole_words(values, offsets, rows, starts, ends, whole)
    return Spans(rows, starts, ends, matches[:, 0]).pick(whole)


def _find_tags(values: NDArray[np.uint8], offsets: NDArray[np.int32]) -> Spans:
    room = int(offsets[-1] - offsets[0]) // _MIN_TAG_BYTES + 1
    rows, starts, ends = (np.empty(room, np.int64) for _ in range(3))
    count = find_tags(values, offsets, rows, starts, ends)
    return Spans(rows[:count], starts[:count], ends[:count], np.full(count, UNLINKED, np.int64))


def _link_tags(tags: Spans, aliases: Spans) -> Spans:
    """Give a tag the alias that it is, with its sigil or without."""
    if not len(tags.rows) or not len(aliases.rows):
        return tags
    order = np.lexsort((aliases.ends, aliases.starts))
    known = aliases.pick(order)
    linked = tags.aliases.copy()
    for shift in (1, 0):
        wanted = (tags.starts + shift) * _SPAN + (tags.ends - tags.starts - shift)
        have = known.starts * _SPAN + (known.ends - known.starts)
        place = np.minimum(np.searchsorted(have, wanted), len(have) - 1)
        linked = np.where(have[place] == wanted, known.aliases[place], linked)
    return Spans(tags.rows, tags.starts, tags.ends, linked)
