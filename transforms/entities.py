"""Names in texts: aliases of known entities, tags and new names by their shape, a batch of joined texts at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.buffers import string_array, string_buffers
from transforms.kernels.linking import link_spots
from transforms.kernels.names import find_careful, find_runs
from transforms.kernels.spans import copy_spans
from transforms.kernels.words import scan_words
from transforms.spotting import UNLINKED, Spans, find_spans

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from transforms.alias_table import AliasTable

#: An alias links to the likeliest of its claimants where that has at least this probability.
LEAST_PROBABILITY = 0.6

_SIGILS = np.frombuffer(b"#$@", np.uint8)


@dataclass(frozen=True)
class _Words:
    """The words of texts as transforms.kernels.words.scan_words gives them; `careful` are texts whose capitals tell."""

    aligned: NDArray[np.bool_]
    careful: NDArray[np.bool_]
    firsts: NDArray[np.int64]
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    writing: NDArray[np.uint8]
    terms: NDArray[np.int32]


def find_entities(
    composed: pa.StringArray, folded: pa.StringArray, table: AliasTable, shaped: NDArray[np.bool_] | None = None
) -> tuple[pa.ListArray, pa.ListArray, pa.ListArray]:
    """Return (names, links, scores) of each text: surfaces in order, an entity id or '' and its probability or 0.

    `folded` is `composed` in lower case. Overlapping names: the leftmost, of those the longest; a tag that is an alias
    links to its entity. An alias that links to nothing is a name only by its shape. Names by shape are sought in
    texts that `shaped` marks (all where it is None).
    """
    values, offsets = string_buffers(folded)
    words = _scan(composed, folded, table)
    known = find_spans(values, offsets, table.automaton)
    entities, scores = _link(known, words, table)
    named = (entities >= 0) | _is_tag(values, known.starts)
    known, entities, scores = known.pick(named), entities[named], scores[named]
    runs = _find_runs(words, known, table, shaped)
    spans = Spans.joined(known, runs)
    order = np.argsort(spans.starts, kind="stable")
    spans = spans.pick(order)
    entities = np.concatenate([entities, runs.aliases])[order]
    scores = np.concatenate([scores, np.zeros(len(runs.rows))])[order]
    counts = np.bincount(spans.rows, minlength=len(folded))
    lists = pa.array(np.concatenate([[0], np.cumsum(counts)]).astype(np.int32))
    links = pa.array([*table.ids, ""]).take(pa.array(np.where(entities < 0, len(table.ids), entities)))
    return (
        pa.ListArray.from_arrays(lists, _surfaces(composed, folded, spans, words.aligned)),
        pa.ListArray.from_arrays(lists, links),
        pa.ListArray.from_arrays(lists, pa.array(scores)),
    )


def _scan(composed: pa.StringArray, folded: pa.StringArray, table: AliasTable) -> _Words:
    values, offsets = string_buffers(folded)
    room = int(offsets[-1] - offsets[0]) + 1
    aligned = np.empty(len(folded), np.bool_)
    firsts = np.empty(len(folded) + 1, np.int64)
    starts, ends, terms = (np.empty(room, np.int32) for _ in range(3))
    writing = np.empty(room, np.uint8)
    count = scan_words(
        *string_buffers(composed),
        values,
        offsets,
        table.vocabulary_keys,
        table.vocabulary_terms,
        aligned,
        firsts,
        starts,
        ends,
        writing,
        terms,
    )
    careful = np.empty(len(folded), np.bool_)
    words = _Words(aligned, careful, firsts, starts[:count], ends[:count], writing[:count], terms[:count])
    find_careful(aligned, firsts, words.starts, words.ends, words.writing, words.terms, table.uses, careful)
    return words


def _link(spans: Spans, words: _Words, table: AliasTable) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return the entity's number of each span and its probability; -1 and 0 where it is not likely enough."""
    best = np.empty(len(spans.rows), np.int32)
    probabilities = np.empty(len(spans.rows), np.float64)
    link_spots(
        spans.rows,
        spans.starts,
        spans.ends,
        spans.aliases,
        words.firsts,
        words.starts,
        words.writing,
        words.terms,
        words.careful,
        table.claim_offsets,
        table.claimants,
        table.log_priors,
        table.nil_log_priors,
        table.term_offsets,
        table.terms,
        table.weights,
        table.common,
        table.uses,
        best,
        probabilities,
    )
    likely = probabilities >= LEAST_PROBABILITY
    return np.where(likely, best, UNLINKED).astype(np.int32), np.where(likely, probabilities, 0.0)


def _is_tag(values: NDArray[np.uint8], starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.isin(values[starts], _SIGILS)


def _find_runs(words: _Words, known: Spans, table: AliasTable, shaped: NDArray[np.bool_] | None) -> Spans:
    careful = words.careful if shaped is None else words.careful & shaped
    rows, starts, ends = (np.empty(len(words.starts), np.int64) for _ in range(3))
    count = find_runs(
        careful,
        words.firsts,
        words.starts,
        words.ends,
        words.writing,
        words.terms,
        table.uses,
        known.starts,
        known.ends,
        rows,
        starts,
        ends,
    )
    return Spans(rows[:count], starts[:count], ends[:count], np.full(count, UNLINKED, np.int64))


def _surfaces(
    composed: pa.StringArray, folded: pa.StringArray, spans: Spans, aligned: NDArray[np.bool_]
) -> pa.StringArray:
    """Copy the names as they were written; in lower case in a text where lowering moved a character's bytes."""
    _, folded_offsets = string_buffers(folded)
    source = composed if aligned.all() else pc.if_else(pa.array(aligned), composed, folded)
    values, offsets = string_buffers(source)
    lengths = spans.ends - spans.starts
    starts = spans.starts - folded_offsets[spans.rows] + offsets[spans.rows]
    out_offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    copied = np.empty(int(out_offsets[-1]), np.uint8)
    copy_spans(values, starts, starts + lengths, copied)
    return string_array(copied, out_offsets)
