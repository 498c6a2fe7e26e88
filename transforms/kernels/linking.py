"""Which of its claimants an alias means, by the words around it."""
# ruff: noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917 - one kernel over the spots, and it reads three tables

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from transforms.kernels import compiled
from transforms.kernels.names import PLAIN
from transforms.kernels.vocabulary import UNKNOWN
from transforms.kernels.words import CAPITAL, FRESH, SPACE, TAG

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Words on each side of an alias that are its context: a chat message or a tweet has fewer.
WINDOW = 32
#: How names are written, of our estimate: with a capital, where a sentence does not ask for one, and without, in a
#: text that begins with one. NIL, some other meaning, is half of the one sort and half of the other.
PROPER_CAPITAL, COMMON_CAPITAL = 0.6, 0.1
NIL_CAPITAL = (PROPER_CAPITAL + COMMON_CAPITAL) / 2
#: How much likelier, of our estimate, NIL has a capitalised word beside it that is no term of the entity ("Sam
#: Houston", "Tiger Memon"): before it within a sentence, and behind it or before it where a sentence begins.
BEFORE, BEHIND = 20.0, 3.0

_NO_EVIDENCE, _CAPITALISED, _LOWERED = 0, 1, 2


@compiled()
def weigh(weights: NDArray[np.float64], terms: NDArray[np.int32], low: int, high: int, term: int) -> float:
    """Return the weight of a term in terms[low:high] (ascending), 0 where it is not in there."""
    stop = high
    while low < stop:
        middle = (low + stop) // 2
        if terms[middle] < term:
            low = middle + 1
        else:
            stop = middle
    return weights[low] if low < high and terms[low] == term else 0.0


@compiled()
def _first_from(starts: NDArray[np.int32], low: int, high: int, position: int) -> int:
    while low < high:
        middle = (low + high) // 2
        if starts[middle] < position:
            low = middle + 1
        else:
            high = middle
    return low


@compiled()
def _case(writing: NDArray[np.uint8], first: int, word: int, careful: int) -> int:
    """What the first letter of an alias tells: capitalised within a sentence, or not in a text that begins with one."""
    bits = writing[word]
    if not careful or bits & TAG:
        return _NO_EVIDENCE
    if bits & CAPITAL:
        return _NO_EVIDENCE if bits & FRESH else _CAPITALISED
    return _LOWERED if writing[first] & CAPITAL else _NO_EVIDENCE


@compiled()
def _neighbour(
    writing: NDArray[np.uint8], found: NDArray[np.int32], uses: NDArray[np.uint8], word: int, border: int
) -> bool:
    """Whether a word is a capitalised one, not plain and no tag, with one space at the word `border`."""
    plain = found[word] >= 0 and uses[found[word]] & PLAIN != 0
    return bool(writing[word] & CAPITAL and not writing[word] & TAG and not plain and writing[border] & SPACE)


@compiled(
    numba.void(
        *(numba.int64[::1], numba.int64[::1], numba.int64[::1], numba.int64[::1]),
        *(numba.int64[::1], numba.int32[::1], numba.uint8[::1], numba.int32[::1], numba.boolean[::1]),
        *(numba.int32[::1], numba.int32[::1], numba.float64[::1], numba.float64[::1]),
        *(numba.int32[::1], numba.int32[::1], numba.float64[::1], numba.boolean[::1], numba.uint8[::1]),
        *(numba.int32[::1], numba.float64[::1]),
    )
)
def link_spots(
    rows: NDArray[np.int64],
    spot_starts: NDArray[np.int64],
    spot_ends: NDArray[np.int64],
    aliases: NDArray[np.int64],
    firsts: NDArray[np.int64],
    starts: NDArray[np.int32],
    writing: NDArray[np.uint8],
    found: NDArray[np.int32],
    careful: NDArray[np.bool_],
    claim_offsets: NDArray[np.int32],
    claimants: NDArray[np.int32],
    log_priors: NDArray[np.float64],
    nil_log_priors: NDArray[np.float64],
    term_offsets: NDArray[np.int32],
    terms: NDArray[np.int32],
    weights: NDArray[np.float64],
    common: NDArray[np.bool_],
    uses: NDArray[np.uint8],
    best: NDArray[np.int32],
    probabilities: NDArray[np.float64],
) -> None:
    """Give each spot its likeliest entity and its probability; -1 and 0 where the alias is -1 or two are equal.

    Words as `scan_words` gives them, entities as `AliasTable` keeps them; the formula is told there.
    """
    widest = 1
    for alias in range(len(claim_offsets) - 1):
        widest = max(widest, claim_offsets[alias + 1] - claim_offsets[alias])
    scores = np.empty(widest, np.float64)
    seen = np.empty(2 * WINDOW, np.int32)
    for spot in range(len(rows)):
        best[spot] = -1
        probabilities[spot] = 0.0
        alias = aliases[spot]
        if alias < 0:
            continue
        row = rows[spot]
        low = claim_offsets[alias]
        claims = claim_offsets[alias + 1] - low
        first = _first_from(starts, firsts[row], firsts[row + 1], spot_starts[spot])
        behind = first
        while behind < firsts[row + 1] and starts[behind] < spot_ends[spot]:
            behind += 1
        case = _case(writing, firsts[row], first, careful[row]) if first < behind else _NO_EVIDENCE
        before = UNKNOWN
        after = UNKNOWN
        before_ratio = 1.0
        after_ratio = 1.0
        if careful[row] and first < behind and writing[first] & CAPITAL and not writing[first] & TAG:
            if first > firsts[row] and _neighbour(writing, found, uses, first - 1, first):
                before = found[first - 1]
                before_ratio = BEHIND if writing[first - 1] & FRESH else BEFORE
            if behind < firsts[row + 1] and _neighbour(writing, found, uses, behind, behind):
                after = found[behind]
                after_ratio = BEHIND
        nil = nil_log_priors[alias]
        if case == _CAPITALISED:
            nil += np.log(NIL_CAPITAL)
        elif case == _LOWERED:
            nil += np.log(1 - NIL_CAPITAL)
        for claim in range(claims):
            scores[claim] = log_priors[low + claim]
            entity = claimants[low + claim]
            if weigh(weights, terms, term_offsets[entity], term_offsets[entity + 1], before) == 0.0:
                scores[claim] -= np.log(before_ratio)
            if weigh(weights, terms, term_offsets[entity], term_offsets[entity + 1], after) == 0.0:
                scores[claim] -= np.log(after_ratio)
            capital = COMMON_CAPITAL if common[entity] else PROPER_CAPITAL
            if case == _CAPITALISED:
                scores[claim] += np.log(capital)
            elif case == _LOWERED:
                scores[claim] += np.log(1 - capital)
        known = 0
        for word in range(max(firsts[row], first - WINDOW), min(firsts[row + 1], behind + WINDOW)):
            term = found[word]
            if term < 0 or first <= word < behind:
                continue
            fresh = True
            for earlier in range(known):
                fresh = fresh and seen[earlier] != term
            for own in range(first, behind):
                fresh = fresh and found[own] != term
            if not fresh:
                continue
            seen[known] = term
            known += 1
            for claim in range(claims):
                entity = claimants[low + claim]
                scores[claim] += weigh(weights, terms, term_offsets[entity], term_offsets[entity + 1], term)
        highest = nil
        for claim in range(claims):
            highest = max(highest, scores[claim])
        total = np.exp(nil - highest)
        winner = 0
        tied = False
        for claim in range(claims):
            total += np.exp(scores[claim] - highest)
            if claim > 0 and scores[claim] == scores[winner]:
                tied = True
            elif claim > 0 and scores[claim] > scores[winner]:
                winner = claim
                tied = False
        if not tied:
            best[spot] = claimants[low + winner]
            probabilities[spot] = np.exp(scores[winner] - highest) / total
