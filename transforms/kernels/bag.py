"""The hashed n-gram bag: one pass over UTF-8 bytes sums the rows of a table, all heads at once."""

from __future__ import annotations

import numba
import numpy as np

from transforms.kernels import BYTES, OFFSETS, compiled

#: FNV-1a's offset and prime (http://www.isthe.com/chongo/tech/comp/fnv/), and the multiplier of Fibonacci hashing.
CHAR_SEED = np.uint64(0xCBF29CE484222325)
WORD_SEED = np.uint64(0x84222325CBF29CE4)
PRIME = np.uint64(0x100000001B3)
SPREAD = np.uint64(0x9E3779B97F4A7C15)

MIN_CHARS = 2
MAX_CHARS = 5
#: Grams that one byte of text can give at most: lengths 2 to 5, a word and a pair of words.
GRAMS_PER_BYTE = 6


@compiled()
def gram_buckets(values, low, high, shift, buckets):  # noqa: ANN001, ANN201, C901 - numba infers the types; one state machine
    """Write the bucket of each gram of values[low:high] into `buckets`; return how many there are.

    Grams are runs of 2 to 5 code points, words (runs of letters or of punctuation) and pairs of neighbouring words.
    """
    count = 0
    for start in range(low, high):
        if values[start] & 0xC0 == 0x80:
            continue
        state = CHAR_SEED
        chars = 0
        end = start
        while end < high and chars < MAX_CHARS:
            state = (state ^ np.uint64(values[end])) * PRIME
            end += 1
            if end == high or values[end] & 0xC0 != 0x80:
                chars += 1
                if chars >= MIN_CHARS:
                    buckets[count] = ((state ^ (state >> np.uint64(29))) * SPREAD) >> shift
                    count += 1
    word = WORD_SEED
    previous = np.uint64(0)
    kind = 0
    for position in range(low, high + 1):
        if position == high:
            current = 0
        else:
            byte = values[position]
            if byte == 32:
                current = 0
            elif byte >= 128 or 97 <= byte <= 122 or 48 <= byte <= 57 or byte == 39 or byte == 95:
                current = 1
            else:
                current = 2
        if current != kind:
            if kind != 0:
                buckets[count] = ((word ^ (word >> np.uint64(29))) * SPREAD) >> shift
                count += 1
                if previous != np.uint64(0):
                    pair = (previous * PRIME) ^ word
                    buckets[count] = ((pair ^ (pair >> np.uint64(29))) * SPREAD) >> shift
                    count += 1
                previous = word
                word = WORD_SEED
            kind = current
        if current != 0:
            word = (word ^ np.uint64(values[position])) * PRIME
    return count


@compiled(numba.void(BYTES, OFFSETS, numba.uint64, numba.int8[:, ::1], numba.int32[:, ::1], numba.int32[::1]))
def sum_rows(values, offsets, shift, table, sums, counts):  # noqa: ANN001, ANN201 - numba's signature says it
    """Add the table rows of each text's grams into `sums` [texts, columns] and count the grams into `counts` [texts]."""
    longest = 0
    for row in range(len(offsets) - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    buckets = np.empty(longest * GRAMS_PER_BYTE + GRAMS_PER_BYTE, np.uint32)
    columns = table.shape[1]
    for row in range(len(offsets) - 1):
        count = gram_buckets(values, offsets[row], offsets[row + 1], shift, buckets)
        counts[row] = count
        for gram in range(count):
            bucket = buckets[gram]
            for column in range(columns):
                sums[row, column] += table[bucket, column]


@compiled(numba.int64(BYTES, OFFSETS, numba.uint64, numba.uint32[::1], numba.int64[::1]))
def list_grams(values, offsets, shift, buckets, starts):  # noqa: ANN001, ANN201 - numba's signature says it
    """Write every text's buckets one after another, text i's from starts[i] to starts[i + 1]; return how many in all."""
    total = 0
    for row in range(len(offsets) - 1):
        starts[row] = total
        total += gram_buckets(values, offsets[row], offsets[row + 1], shift, buckets[total:])
    starts[len(offsets) - 1] = total
    return total
