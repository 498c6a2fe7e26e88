"""Names in one text, by Aho-Corasick, regular expressions and dictionaries; equal to transforms.entities."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from bench.row_words import LETTERS, Word, aligned, find_runs, is_careful, scan
from transforms.buffers import string_buffers
from transforms.entities import LEAST_PROBABILITY
from transforms.kernels.linking import BEFORE, BEHIND, COMMON_CAPITAL, NIL_CAPITAL, PROPER_CAPITAL, WINDOW
from transforms.kernels.names import PLAIN
from transforms.kernels.vocabulary import UNKNOWN, hash_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transforms.alias_table import AliasTable

_LETTER = re.compile(f"[{LETTERS}]")
_TAG = re.compile(f"(?<![{LETTERS}])([#$@])([{LETTERS}]+)")
_CASHTAG = re.compile("[A-Za-z_]{1,6}")
_UNLINKED = -1


class RowEntities:
    """Finds the names of single texts by an alias table."""

    def __init__(self, table: AliasTable) -> None:
        """Turn the table's hash table into a dictionary."""
        self._table = table
        pairs = zip(table.vocabulary_keys.tolist(), table.vocabulary_terms.tolist(), strict=True)
        self._terms: dict[int, int] = {key: term for key, term in pairs if key}

    def find(self, composed: str, folded: str, *, shaped: bool = True) -> tuple[list[str], list[str], list[float]]:
        """Return (names, links, scores) of one text: surfaces in order, an entity id or '' and its probability or 0.

        New names are sought by their shape where it is `shaped`.
        """
        aliases = _aliases(folded, self._table)
        spans = [(start, end, number) for (start, end), number in aliases.items()]
        for tag in _TAG.finditer(folded):
            if _is_tag(tag[1], tag[2]):
                start, end = tag.span()
                spans.append((start, end, aliases.get((start, end), aliases.get((start + 1, end), _UNLINKED))))
        words = list(scan(composed, folded))
        same = aligned(composed, folded)
        careful = same and is_careful(words, self._uses)
        found: list[tuple[int, int, str, float]] = []
        last = -1
        for start, end, number in sorted(spans, key=lambda span: (span[0], -span[1], -span[2])):
            if start >= last:
                last = end
                link, score = self._link(start, end, number, words, careful=careful)
                if link or folded[start] in "#$@":
                    found.append((start, end, link, score))
        if careful and shaped:
            taken = [(start, end) for start, end, *_ in found]
            found += [(start, end, "", 0.0) for start, end in find_runs(words, self._uses, taken)]
        found.sort()
        source = composed if same else folded
        return (
            [source[start:end] for start, end, *_ in found],
            [link for *_, link, _ in found],
            [score for *_, score in found],
        )

    def _term(self, word: str) -> int:
        hashes = np.empty(1, np.uint64)
        hash_words(*string_buffers(pa.array([word])), hashes)
        return self._terms.get(int(hashes[0]), UNKNOWN)

    def _uses(self, word: str) -> int:
        term = self._term(word)
        return int(self._table.uses[term]) if term != UNKNOWN else 0

    def _link(self, start: int, end: int, alias: int, words: Sequence[Word], *, careful: bool) -> tuple[str, float]:
        if alias == _UNLINKED:
            return "", 0.0
        table = self._table
        claims = range(table.claim_offsets[alias], table.claim_offsets[alias + 1])
        own = [place for place, word in enumerate(words) if start <= word.start < end]
        first = next((place for place, word in enumerate(words) if word.start >= start), len(words))
        behind = first + len(own)
        terms = [self._term(word.text) for word in words]
        around = [*terms[max(0, first - WINDOW) : first], *terms[behind : behind + WINDOW]]
        context = [term for term in dict.fromkeys(around) if term != UNKNOWN and term not in terms[first:behind]]
        capital = _capital(words, first) if own and careful else None
        beside = self._beside(words, first, behind) if own and careful else []
        scores = [table.nil_log_priors[alias] + _evidence(capital, NIL_CAPITAL)]
        for claim in claims:
            entity = table.claimants[claim]
            places = range(table.term_offsets[entity], table.term_offsets[entity + 1])
            weights = {table.terms[place]: table.weights[place] for place in places}
            share = COMMON_CAPITAL if table.common[entity] else PROPER_CAPITAL
            score = table.log_priors[claim]
            for neighbour, ratio in beside:
                score -= 0.0 if neighbour in weights else np.log(ratio)
            score += _evidence(capital, share)
            for term in context:
                score += weights.get(term, 0.0)
            scores.append(score)
        best = max(scores[1:])
        chances = [np.exp(score - max(scores)) for score in scores]
        total = 0.0
        for chance in chances:
            total += chance
        winner = scores.index(best, 1)
        score = float(chances[winner] / total)
        if scores[1:].count(best) > 1 or score < LEAST_PROBABILITY:
            return "", 0.0
        return table.ids[table.claimants[claims[winner - 1]]], score

    def _beside(self, words: Sequence[Word], first: int, behind: int) -> list[tuple[int, float]]:
        """The terms of capitalised words one space before and behind a capitalised name, and what each is worth."""
        if not words[first].capital or words[first].tag:
            return []
        pairs = [(words[first - 1], words[first])] if first else []
        pairs += [(words[behind], words[behind])] if behind < len(words) else []
        return [
            (self._term(word.text), BEFORE if word.start < words[first].start and not word.fresh else BEHIND)
            for word, border in pairs
            if word.capital and not word.tag and not self._uses(word.text) & PLAIN and border.gap == "space"
        ]


def _capital(words: Sequence[Word], place: int) -> bool | None:
    """Whether a word has a capital that no sentence asks for, or none in a text that begins with one; else None."""
    word = words[place]
    if word.tag or (word.capital and word.fresh) or not (word.capital or words[0].capital):
        return None
    return word.capital


def _evidence(capital: bool | None, share: float) -> float:  # noqa: FBT001 - three values, one of them None
    if capital is None:
        return 0.0
    return float(np.log(share if capital else 1 - share))


def _aliases(folded: str, table: AliasTable) -> dict[tuple[int, int], int]:
    """Return the aliases that stand as whole words: (start, end) in characters to the alias's number."""
    data = folded.encode()
    found: dict[tuple[int, int], int] = {}
    for number, first, stop in table.automaton.find_matches_as_indexes(data, overlapping=True):
        start, end = len(data[:first].decode()), len(data[:stop].decode())
        if start and _LETTER.match(folded, start) and _LETTER.match(folded, start - 1):
            continue
        if not _LETTER.match(folded, end):
            found[start, end] = number
    return found


def _is_tag(sigil: str, word: str) -> bool:
    if sigil == "#":
        return bool(word.strip("0123456789"))
    return sigil == "@" or _CASHTAG.fullmatch(word) is not None
