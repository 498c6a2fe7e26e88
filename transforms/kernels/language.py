"""Tell the language of short texts: the script by its letters, then the likeliest language of it by n-grams."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from transforms.kernels import BYTES, OFFSETS, compiled
from transforms.kernels.bag import CHAR_SEED, EVEN_LANES, LANES, PRIME, ROWS_PER_LANE, SPREAD, ZERO
from transforms.kernels.letters import MOST_READ, script_of, write_letters

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHORTEST_GRAM = 2
LONGEST_GRAM = 5
#: Below it a language's share is naught.
_LEAST_EXPONENT = -10.0
#: One in so many words must be known.
_SHARE = 4
_ROW_BITS = np.uint64(20)
_ROW_MASK = np.uint64((1 << 20) - 1)
#: Bits of the filter ahead of the slots.
MARKS = 1 << 19
MARK_SHIFT = np.uint64(64 - 19)
_THREE, _SEVEN = np.uint64(3), np.uint64(7)
_BYTE = np.uint64(8)
_GRAM_BITS = np.uint64(8 * LONGEST_GRAM)
_SPACE = 32
_LANE = np.uint64(0xFFFF)


@compiled(numba.void(numba.uint64[::1], numba.uint64, numba.uint64[::1], numba.uint8[::1]))
def fill_slots(keys: NDArray[np.uint64], shift: np.uint64, slots: NDArray[np.uint64], marks: NDArray[np.uint8]) -> None:
    """Place each key (44 bits) with its row (20 bits) into a hash table with linear probing; 0 is a free slot.

    `marks` [MARKS / 8] gets a bit for each key: it stays in a core's cache and spares most looks into the slots.
    """
    for row in range(len(keys)):
        mark = (keys[row] * SPREAD) >> MARK_SHIFT
        marks[mark >> _THREE] |= np.uint8(1 << (mark & _SEVEN))
    for row in range(len(keys)):
        slot = (keys[row] * SPREAD) >> shift
        while slots[slot] != 0:
            slot = (slot + np.uint64(1)) & np.uint64(len(slots) - 1)
        slots[slot] = keys[row] << _ROW_BITS | np.uint64(row)


@compiled()
def _find_grams(  # noqa: PLR0913, PLR0917 - the parts of one hash table
    letters: NDArray[np.uint8],
    length: int,
    script: int,
    slots: NDArray[np.uint64],
    shift: np.uint64,
    marks: NDArray[np.uint8],
    seen: NDArray[np.int32],
    row: int,
    grams: NDArray[np.int32],
) -> int:
    """Write the rows of the longest known gram that ends at each byte, each gram once; return how many."""
    found = 0
    window = np.uint64(0)
    mask = np.uint64(len(slots) - 1)
    prefix = np.uint64(script) << _GRAM_BITS
    whole = (np.uint64(1) << _GRAM_BITS) - np.uint64(1)
    for end in range(length):
        window = (window << _BYTE | np.uint64(letters[end])) & whole
        size = min(LONGEST_GRAM, end + 1)
        part = whole >> np.uint64(8 * (LONGEST_GRAM - size))
        while size >= SHORTEST_GRAM:
            key = prefix | (window & part)
            spread = key * SPREAD
            mark = spread >> MARK_SHIFT
            if (marks[mark >> _THREE] >> (mark & _SEVEN)) & 1 == 0:
                size -= 1
                part >>= _BYTE
                continue
            slot = spread >> shift
            while slots[slot] != 0 and slots[slot] >> _ROW_BITS != key:
                slot = (slot + np.uint64(1)) & mask
            if slots[slot] != 0:
                gram = np.int64(slots[slot] & _ROW_MASK)
                if seen[gram] != row:
                    seen[gram] = row
                    grams[found] = gram
                    found += 1
                break
            size -= 1
            part >>= _BYTE
    return found


@compiled()
def _sum_weights(grams: NDArray[np.int32], found: int, weights: NDArray[np.uint64], sums: NDArray[np.int32]) -> None:
    """Add up the weights of some grams: eight at once, in two words of four 16-bit lanes (as the bag does)."""
    for word in range(weights.shape[1]):
        for lane in range(LANES):
            sums[word * LANES + lane] = -ZERO * found
        start = 0
        while start < found:
            stop = min(found, start + ROWS_PER_LANE)
            even = np.uint64(0)
            odd = np.uint64(0)
            for place in range(start, stop):
                eight = weights[grams[place], word]
                even += eight & EVEN_LANES
                odd += (eight >> _BYTE) & EVEN_LANES
            for lane in range(LANES // 2):
                low = np.uint64(16 * lane)
                sums[word * LANES + 2 * lane] += np.int32((even >> low) & _LANE)
                sums[word * LANES + 2 * lane + 1] += np.int32((odd >> low) & _LANE)
            start = stop


@compiled()
def _known_words(letters: NDArray[np.uint8], length: int, hashes: NDArray[np.uint64]) -> int:
    """Count the words whose hash (FNV-1a) lies in its slot of `hashes`; a slot holds one."""
    known = 0
    state = CHAR_SEED
    for position in range(1, length):
        if letters[position] == _SPACE:
            known += hashes[state & np.uint64(len(hashes) - 1)] == state
            state = CHAR_SEED
        else:
            state = (state ^ np.uint64(letters[position])) * PRIME
    return known


@compiled()
def _choose(
    sums: NDArray[np.int32], scale: float, codes: NDArray[np.int32], likelihoods: NDArray[np.float64]
) -> tuple[int, float]:
    """Return the likeliest code and its probability: a softmax over the columns, columns of one code added up."""
    width = len(codes)
    while codes[width - 1] < 0:
        width -= 1
    top = sums[0]
    for column in range(width):
        top = max(top, sums[column])
        likelihoods[codes[column]] = 0.0
    total = 0.0
    for column in range(width):
        exponent = (sums[column] - top) * scale
        if exponent > _LEAST_EXPONENT:
            likelihood = np.exp(exponent)
            likelihoods[codes[column]] += likelihood
            total += likelihood
    best = codes[0]
    for column in range(width):
        if likelihoods[codes[column]] > likelihoods[best]:
            best = codes[column]
    return best, likelihoods[best] / total


@compiled(
    numba.void(
        BYTES,
        OFFSETS,
        numba.uint8[::1],
        numba.int64,
        numba.int64,
        numba.int32[:, ::1],
        numba.uint64[::1],
        numba.uint64,
        numba.uint8[::1],
        numba.uint64[:, ::1],
        numba.float64,
        numba.uint64[::1],
        numba.int64,
        numba.int32[::1],
        numba.float64[::1],
        numba.int32[::1],
        numba.int32[::1],
    )
)
def likeliest(  # noqa: PLR0913, PLR0917 - tables, settings and outputs of one loop
    values: NDArray[np.uint8],
    offsets: NDArray[np.int32],
    scripts: NDArray[np.uint8],
    han: int,
    kana: int,
    codes: NDArray[np.int32],
    slots: NDArray[np.uint64],
    shift: np.uint64,
    marks: NDArray[np.uint8],
    weights: NDArray[np.uint64],
    unit: float,
    english: NDArray[np.uint64],
    fewest: int,
    told: NDArray[np.int32],
    confidences: NDArray[np.float64],
    words: NDArray[np.int32],
    letters: NDArray[np.int32],
) -> None:
    """Set for each text the likeliest code, its probability, the words and the bytes of letters that speak for it.

    `scripts` gives the script + 1 of each code point, `codes` [scripts, columns] the code of each column (-1: none);
    a script of one column is told by its letters alone. Weights are `unit` units of natural logarithm; the sum of a
    text of n bytes is divided by sqrt(n), which keeps probabilities calibrated across lengths (as py3langid does).
    A Latin text with `fewest` or more words of `english` (hashes), a quarter of all or more, is of the first column's
    code without the model: most chat is, and the model's table is far larger than a core's cache.
    Codes are 0 where there are no two neighbouring letters of one script, or no known gram.
    """
    # One more character and the space behind it.
    buffer = np.empty(MOST_READ + 4, np.uint8)
    counts = np.empty(codes.shape[0] + 1, np.int32)
    sums = np.empty(weights.shape[1] * LANES, np.int32)
    grams = np.empty(len(buffer), np.int32)
    seen = np.full(weights.shape[0], -1, np.int32)
    likelihoods = np.zeros(codes.max() + 1, np.float64)
    for row in range(len(offsets) - 1):
        told[row] = 0
        confidences[row] = 0.0
        counts[:] = 0
        length, words[row] = write_letters(values, offsets[row], offsets[row + 1], scripts, 0, buffer, counts)
        letters[row] = length - words[row] - 1
        script = script_of(counts, han + 1, kana + 1)
        if script == 0:
            continue
        if codes[script - 1, 1] < 0:
            told[row] = codes[script - 1, 0]
            confidences[row] = 1.0
            continue
        if counts.sum() > counts[script]:
            length, words[row] = write_letters(values, offsets[row], offsets[row + 1], scripts, script, buffer, counts)
            letters[row] = length - words[row] - 1
        if script == 1 and words[row] >= fewest:
            known = _known_words(buffer, length, english)
            if known >= fewest and known * _SHARE >= words[row]:
                told[row] = codes[0, 0]
                confidences[row] = 1.0
                continue
        found = _find_grams(buffer, length, script - 1, slots, shift, marks, seen, row, grams)
        if found > 0:
            _sum_weights(grams, found, weights, sums)
            told[row], confidences[row] = _choose(sums, unit / np.sqrt(length), codes[script - 1], likelihoods)
