"""Terms of messages: words, hashtags and emotes found in UTF-8 text, and what skeleton the text has."""
# ruff: noqa: C901, PLR0912, PLR0915, PLR2004 - one scanner, and UTF-8 is written as its numbers

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from transforms.kernels import BYTES, OFFSETS, compiled
from transforms.kernels.bag import CHAR_SEED, PRIME, SPREAD
from transforms.kernels.spans import letter_length

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Kinds of terms, the more telling one first.
ENTITY, HASHTAG, EMOTE, WORD = range(4)

_MIN_WORD = 3
_SORTED = numba.types.Array(numba.int64, 1, "C", readonly=True)


@compiled()
def _within(keys: NDArray[np.int64], key: np.int64) -> bool:
    low, high = 0, len(keys)
    while low < high:
        middle = (low + high) // 2
        if keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low < len(keys) and keys[low] == key


@compiled()
def _emoji(values: NDArray[np.uint8], position: int, high: int) -> int:
    """Length in bytes of the emoji at `position`, with what modifies it; 0 where there is none."""
    byte = values[position]
    length = 0
    if byte == 0xF0 and position + 4 <= high and values[position + 1] == 0x9F:
        length = 4
    elif byte == 0xE2 and position + 3 <= high and 0x98 <= values[position + 1] <= 0x9E:
        length = 3
    if length == 0:
        return 0
    end = position + length
    while end + 3 <= high:
        modifier = values[end] == 0xEF and values[end + 1] == 0xB8
        tone = (
            end + 4 <= high
            and values[end] == 0xF0
            and values[end + 1] == 0x9F
            and values[end + 2] == 0x8F
            and values[end + 3] >= 0xBB
        )
        if modifier:
            end += 3
        elif tone:
            end += 4
        else:
            break
    return end - position


@compiled(
    numba.int64(
        BYTES,
        OFFSETS,
        BYTES,
        OFFSETS,
        _SORTED,
        _SORTED,
        numba.int64[:, ::1],
        numba.int64[::1],
    )
)
def find_terms(
    values: NDArray[np.uint8],
    offsets: NDArray[np.int32],
    written: NDArray[np.uint8],
    written_offsets: NDArray[np.int32],
    stop_words: NDArray[np.int64],
    emotes: NDArray[np.int64],
    found: NDArray[np.int64],
    skeletons: NDArray[np.int64],
) -> int:
    """Find the terms of each text: row, hash, start, end and kind of each [5, terms]; return how many there are.

    `values` are the texts in lower case, `written` as they were: where both have one length, a word that changes to
    capitals inside (PogChamp) is an emote. `stop_words` and `emotes` are sorted hashes. A stretched letter counts
    twice. A skeleton is the hash of a text's words and hashtags in their order, repeats left out, else of its emotes:
    numbers, emoji, mentions, links and punctuation do not make it another.
    """
    count = 0
    for row in range(len(offsets) - 1):
        position = offsets[row]
        high = offsets[row + 1]
        shift = written_offsets[row] - position
        aligned = written_offsets[row + 1] - written_offsets[row] == high - position
        words = CHAR_SEED
        worded = False
        previous = np.uint64(0)
        marks = CHAR_SEED
        marked = False
        while position < high:
            length = _emoji(values, position, high)
            if length:
                key = CHAR_SEED
                for place in range(position, position + (4 if values[position] == 0xF0 else 3)):
                    key = (key ^ np.uint64(values[place])) * PRIME
                found[0, count], found[1, count], found[4, count] = row, np.int64(key), EMOTE
                found[2, count], found[3, count] = position, position + length
                count += 1
                marks = marks ^ (key * SPREAD)
                marked = True
                position += length
                continue
            byte = values[position]
            if byte == 64 or (
                byte == 104
                and position + 7 < high
                and values[position + 1] == 116
                and values[position + 2] == 116
                and values[position + 3] == 112
                and (values[position + 4] == 58 or values[position + 5] == 58)
            ):
                position += 1
                while position < high and values[position] > 32:
                    position += 1
                continue
            tag = byte == 35
            begin = position
            if tag:
                position += 1
            key = CHAR_SEED
            last, run = 0, 0
            letters, characters = 0, 0
            camel, lower = False, False
            while position < high:
                step = letter_length(values, position, high)
                if step == 0:
                    joined = values[position] == 39 and characters > 0 and position + 1 < high
                    if not joined or letter_length(values, position + 1, high) == 0:
                        break
                    step = 1
                if step == 1:
                    byte = values[position]
                    run = run + 1 if byte == last else 1
                    last = byte
                    if run <= 2:
                        key = (key ^ np.uint64(byte)) * PRIME
                    letters += 1 if byte > 57 else 0
                    if aligned:
                        upper = 65 <= written[position + shift] <= 90
                        camel = camel or (upper and lower)
                        lower = 97 <= written[position + shift] <= 122
                else:
                    for place in range(position, min(position + step, high)):
                        key = (key ^ np.uint64(values[place])) * PRIME
                    letters += 1
                    last, run, lower = 0, 0, False
                characters += 1
                position += step
            position = min(position, high)
            if characters == 0:
                position = max(position, begin + 1)
                continue
            if letters == 0:
                continue
            if tag:
                key = (key ^ np.uint64(35)) * PRIME
            kind = HASHTAG if tag else WORD
            if kind == WORD and ((camel and characters > _MIN_WORD) or _within(emotes, np.int64(key))):
                kind = EMOTE
            if kind == EMOTE:
                marks = marks ^ (key * SPREAD)
                marked = True
            elif key != previous:
                words = (words ^ key) * PRIME
                previous = key
                worded = True
            if kind == WORD and (characters < _MIN_WORD or _within(stop_words, np.int64(key))):
                continue
            found[0, count], found[1, count], found[4, count] = row, np.int64(key), kind
            found[2, count], found[3, count] = begin, position
            count += 1
        skeletons[row] = np.int64(words) if worded else np.int64(marks) if marked else 0
    return count
