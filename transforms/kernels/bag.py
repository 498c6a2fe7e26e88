"""The hashed n-gram bag: one pass over UTF-8 bytes sums the rows of a table, all heads at once."""
# ruff: noqa: PLR2004 - kernels are single loops, and UTF-8 and ASCII are written as the numbers they are

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from transforms.kernels import BYTES, OFFSETS, compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: FNV-1a's offset and prime (http://www.isthe.com/chongo/tech/comp/fnv/), and the multiplier of Fibonacci hashing.
CHAR_SEED = np.uint64(0xCBF29CE484222325)
WORD_SEED = np.uint64(0x84222325CBF29CE4)
PRIME = np.uint64(0x100000001B3)
SPREAD = np.uint64(0x9E3779B97F4A7C15)

MIN_CHARS = 2
MAX_CHARS = 5
#: Grams that one byte of text can give at most: lengths 2 to 5, a word and a pair of words.
GRAMS_PER_BYTE = 6
#: A table is read a machine word at a time: eight columns of a byte, kept as weight + 128.
LANES = 8
ZERO = 128
#: Rows that 16-bit lanes can add up before they run over.
ROWS_PER_LANE = 256
EVEN_LANES = np.uint64(0x00FF00FF00FF00FF)


@compiled()
def _put(state: np.uint64, shift: np.uint64, buckets: NDArray[np.uint32], count: int) -> int:
    buckets[count] = (state * SPREAD) >> shift
    return count + 1


@compiled()
def _character_grams(
    values: NDArray[np.uint8], low: int, high: int, shift: np.uint64, buckets: NDArray[np.uint32]
) -> int:
    count = 0
    for start in range(low, high):
        state = (CHAR_SEED ^ np.uint64(values[start])) * PRIME
        if start + MAX_CHARS <= high:
            second, third, fourth, fifth = values[start + 1], values[start + 2], values[start + 3], values[start + 4]
            if values[start] | second | third | fourth | fifth < 128:
                state = (state ^ np.uint64(second)) * PRIME
                count = _put(state, shift, buckets, count)
                state = (state ^ np.uint64(third)) * PRIME
                count = _put(state, shift, buckets, count)
                state = (state ^ np.uint64(fourth)) * PRIME
                count = _put(state, shift, buckets, count)
                count = _put((state ^ np.uint64(fifth)) * PRIME, shift, buckets, count)
                continue
        if values[start] & 0xC0 == 0x80:
            continue
        end = start + 1
        chars = 1
        while end < high:
            if values[end] & 0xC0 != 0x80:
                if chars >= MIN_CHARS:
                    count = _put(state, shift, buckets, count)
                if chars == MAX_CHARS:
                    break
                chars += 1
            state = (state ^ np.uint64(values[end])) * PRIME
            end += 1
        if end == high and chars >= MIN_CHARS:
            count = _put(state, shift, buckets, count)
    return count


@compiled()
def gram_buckets(values: NDArray[np.uint8], low: int, high: int, shift: np.uint64, buckets: NDArray[np.uint32]) -> int:
    """Write the bucket of each gram of values[low:high] into `buckets`; return how many there are.

    Grams are runs of 2 to 5 code points, words (runs of letters or of punctuation) and pairs of neighbouring words.
    """
    count = _character_grams(values, low, high, shift, buckets)
    word = WORD_SEED
    previous = np.uint64(0)
    kind = 0
    for position in range(low, high + 1):
        current = 0
        if position < high:
            byte = values[position]
            if byte >= 128 or 97 <= byte <= 122 or 48 <= byte <= 57 or byte in (39, 95):
                current = 1
            elif byte != 32:
                current = 2
        if current != kind:
            if kind != 0:
                count = _put(word, shift, buckets, count)
                if previous != np.uint64(0):
                    count = _put((previous * PRIME) ^ word, shift, buckets, count)
                previous = word
                word = WORD_SEED
            kind = current
        if current != 0:
            word = (word ^ np.uint64(values[position])) * PRIME
    return count


@compiled()
def _longest(offsets: NDArray[np.int32]) -> int:
    longest = 1
    for row in range(len(offsets) - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    return longest


@compiled(numba.void(BYTES, OFFSETS, numba.uint64, numba.uint64[:, ::1], numba.int32[:, ::1], numba.int32[::1]))
def sum_rows(
    values: NDArray[np.uint8],
    offsets: NDArray[np.int32],
    shift: np.uint64,
    table: NDArray[np.uint64],
    sums: NDArray[np.int32],
    counts: NDArray[np.int32],
) -> None:
    """Set `sums` [texts, columns] to the sum of the table's rows of each text's grams and `counts` to their number.

    `table` is uint64 [buckets, columns / 8]: eight weights + 128 in a word. Adding eight at once, in two words of four
    16-bit lanes, takes 0.7 µs a tweet, one after another 1.6 µs (400 grams, a table of 2 MB).
    """
    buckets = np.empty(_longest(offsets) * GRAMS_PER_BYTE, np.uint32)
    for row in range(len(offsets) - 1):
        count = gram_buckets(values, offsets[row], offsets[row + 1], shift, buckets)
        counts[row] = count
        for column in range(table.shape[1]):
            sums[row, column * LANES : (column + 1) * LANES] = -ZERO * count
            gram = 0
            while gram < count:
                stop = min(count, gram + ROWS_PER_LANE)
                even = np.uint64(0)
                odd = np.uint64(0)
                while gram < stop:
                    word = table[buckets[gram], column]
                    even += word & EVEN_LANES
                    odd += (word >> np.uint64(8)) & EVEN_LANES
                    gram += 1
                for lane in range(LANES // 2):
                    low_bit = np.uint64(16 * lane)
                    sums[row, column * LANES + 2 * lane] += np.int32((even >> low_bit) & np.uint64(0xFFFF))
                    sums[row, column * LANES + 2 * lane + 1] += np.int32((odd >> low_bit) & np.uint64(0xFFFF))


@compiled(numba.int64(BYTES, OFFSETS, numba.uint64, numba.uint32[::1], numba.int64[::1]))
def list_grams(
    values: NDArray[np.uint8],
    offsets: NDArray[np.int32],
    shift: np.uint64,
    buckets: NDArray[np.uint32],
    starts: NDArray[np.int64],
) -> int:
    """Write every text's buckets one after another, text i's from starts[i] to starts[i + 1]; return their number."""
    total = 0
    for row in range(len(offsets) - 1):
        starts[row] = total
        total += gram_buckets(values, offsets[row], offsets[row + 1], shift, buckets[total:])
    starts[len(offsets) - 1] = total
    return total
