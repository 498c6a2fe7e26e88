"""New names by their shape: runs of capitalised words where a sentence does not ask for the capital."""
# ruff: noqa: C901, PLR0912, PLR0913, PLR0917, PLR2004 - one scanner a kernel

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from transforms.kernels import compiled
from transforms.kernels.vocabulary import UNKNOWN
from transforms.kernels.words import APOSTROPHE, CAPITAL, CONTRACTION, FRESH, HYPHEN, LOWER, SPACE, TAG

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: What a term of the vocabulary is besides a context word: a word that begins no name, one that may join its parts,
#: one that stays small in a title.
PLAIN, JOINER, TITLE = 1, 2, 4
#: A run of more words is a headline, not a name.
LONGEST_RUN = 6
#: A text with fewer than one small-letter word in so many is in title case.
_TITLE_SHARE = 8
_SHORTEST_NAME = 3


@compiled()
def _use(uses: NDArray[np.uint8], term: int, use: int) -> bool:
    return term != UNKNOWN and uses[term] & use != 0


@compiled(
    numba.void(
        *(numba.boolean[::1], numba.int64[::1], numba.int32[::1], numba.int32[::1], numba.uint8[::1], numba.int32[::1]),
        *(numba.uint8[::1], numba.boolean[::1]),
    )
)
def find_careful(
    aligned: NDArray[np.bool_],
    firsts: NDArray[np.int64],
    starts: NDArray[np.int32],
    ends: NDArray[np.int32],
    writing: NDArray[np.uint8],
    found: NDArray[np.int32],
    uses: NDArray[np.uint8],
    careful: NDArray[np.bool_],
) -> None:
    """Say of each text whether its capitals tell something: it is neither in title case nor in capitals.

    In title case fewer than an eighth of its words begin small, words that stay small in titles aside; in capitals
    more than half have no small letter.
    """
    for row in range(len(aligned)):
        counted = 0
        small = 0
        shouted = 0
        for word in range(firsts[row], firsts[row + 1]):
            bits = writing[word]
            if bits & TAG or not bits & (CAPITAL | LOWER) or bits & APOSTROPHE:
                continue
            if not bits & CAPITAL and _use(uses, found[word], TITLE):
                continue
            counted += 1
            small += not bits & CAPITAL
            shouted += bits & CAPITAL != 0 and not bits & LOWER and ends[word] - starts[word] > 1
        careful[row] = aligned[row] and small * _TITLE_SHARE >= max(counted, 1) and shouted * 2 <= counted


@compiled(
    numba.int64(
        *(numba.boolean[::1], numba.int64[::1], numba.int32[::1], numba.int32[::1], numba.uint8[::1], numba.int32[::1]),
        *(numba.uint8[::1], numba.int64[::1], numba.int64[::1]),
        *(numba.int64[::1], numba.int64[::1], numba.int64[::1]),
    )
)
def find_runs(
    careful: NDArray[np.bool_],
    firsts: NDArray[np.int64],
    starts: NDArray[np.int32],
    ends: NDArray[np.int32],
    writing: NDArray[np.uint8],
    found: NDArray[np.int32],
    uses: NDArray[np.uint8],
    taken_starts: NDArray[np.int64],
    taken_ends: NDArray[np.int64],
    rows: NDArray[np.int64],
    run_starts: NDArray[np.int64],
    run_ends: NDArray[np.int64],
) -> int:
    """Write row, start and end of each run of capitalised words outside the taken spans (ascending); return how many.

    Words of a run stand one space, hyphen or apostrophe apart; lower-case joiners ("of", "van") may lie inside one.
    Plain words are cut off at both ends. A run of one word needs a small letter, three bytes, a place inside a
    sentence, and no known name beside it; a longer one needs a small letter.
    """
    count = 0
    taken = 0
    for row in range(len(careful)):
        word = firsts[row]
        stop = firsts[row + 1]
        if not careful[row]:
            continue
        while word < stop:
            while taken < len(taken_starts) and taken_ends[taken] <= starts[word]:
                taken += 1
            limit = taken_starts[taken] if taken < len(taken_starts) else np.int64(1) << 62
            if ends[word] > limit or not writing[word] & CAPITAL or writing[word] & TAG:
                word += 1
                continue
            first = word
            last = word
            word += 1
            while word < stop and ends[word] <= limit and not writing[word] & TAG:
                bits = writing[word]
                glued = bits & HYPHEN or (bits & APOSTROPHE and ends[word] - starts[word] > 2)
                if glued or (bits & SPACE and bits & CAPITAL):
                    last = word
                    word += 1
                elif (
                    bits & SPACE
                    and _use(uses, found[word], JOINER)
                    and word + 1 < stop
                    and ends[word + 1] <= limit
                    and writing[word + 1] & SPACE
                    and writing[word + 1] & CAPITAL
                ):
                    last = word + 1
                    word += 2
                else:
                    break
            if word < stop and writing[word] & CONTRACTION:
                last -= 1
            while first <= last and _use(uses, found[first], PLAIN):
                first += 1
            while last > first and _use(uses, found[last], PLAIN):
                last -= 1
            if first > last or last - first >= LONGEST_RUN:
                continue
            small = False
            for part in range(first, last + 1):
                small = small or writing[part] & LOWER != 0
            if first == last:
                before = (
                    taken > 0
                    and starts[first] - taken_ends[taken - 1] == 1
                    and taken_starts[taken - 1] >= starts[firsts[row]] - 1
                )
                behind = limit - ends[first] == 1 and limit <= starts[stop - 1]
                short = ends[first] - starts[first] < _SHORTEST_NAME
                if before or behind or short or writing[first] & FRESH:
                    continue
            if not small:
                continue
            rows[count] = row
            run_starts[count] = starts[first]
            run_ends[count] = ends[last]
            count += 1
    return count
