"""The last pass of normalisation: evasions undone and moods marked, token by token, with the hashes of the result."""
# ruff: noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917, PLR2004 - kernels are single loops, UTF-8 is written as its numbers

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from transforms.kernels import BYTES, OFFSETS, compiled
from transforms.kernels.bag import CHAR_SEED, PRIME
from transforms.kernels.hashing import KEYS, VALUES, extend
from transforms.kernels.moods import (
    ABSENT,
    CASED,
    MOOD,
    PHRASE,
    cased_state,
    emoji_size,
    find_emoji,
    find_phrase,
    is_stop,
    mood_of,
)
from transforms.kernels.readings import is_leet, is_letter
from transforms.kernels.spacing import is_separator, join_letters, spelled, split_letters
from transforms.kernels.undoing import mostly_latin, undisguise

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Markers of a text at most, so that the output's size is known ahead; and bytes that one takes with its spaces.
MAX_MARKERS = 32
MARKER_BYTES = 12

_TABLE = numba.types.Array(numba.uint8, 2, "C", readonly=True)


@compiled()
def _longest(offsets: NDArray[np.int32]) -> int:
    longest = 1
    for row in range(len(offsets) - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    return longest


@compiled(
    numba.void(
        BYTES, OFFSETS, BYTES, OFFSETS, BYTES, _TABLE, KEYS, VALUES, KEYS, VALUES, _TABLE,
        numba.uint64[:, ::1], numba.uint8[::1], numba.int32[::1], numba.int64[::1], numba.int64[::1],
    )
)  # fmt: skip
def rewrite(
    values: NDArray[np.uint8],
    offsets: NDArray[np.int32],
    composed: NDArray[np.uint8],
    composed_offsets: NDArray[np.int32],
    parts: NDArray[np.uint8],
    choices: NDArray[np.uint8],
    words: NDArray[np.uint64],
    word_values: NDArray[np.int32],
    moods: NDArray[np.uint64],
    mood_values: NDArray[np.int32],
    markers: NDArray[np.uint8],
    scopes: NDArray[np.uint64],
    out_values: NDArray[np.uint8],
    out_offsets: NDArray[np.int32],
    keys: NDArray[np.int64],
    signatures: NDArray[np.int64],
) -> None:
    """Undo evasions in cleaned texts and mark moods, with the hash of the result (`keys`) and of its letters alone.

    `composed` are the same texts as written; `markers` [moods, bytes + 1] holds each mood's marker behind its length, 0
    where none is written; `scopes` [rows, 2] the hashes of platform and channel, 0 for none. `out_values` has room for
    the cleaned bytes and MAX_MARKERS of MARKER_BYTES a row. The hashes are FNV-1a, 64 bits, 0 for none; markers are
    not part of a signature.
    """
    scratch = np.empty(2 * _longest(offsets) + 8, np.uint8)
    joined = np.empty(_longest(offsets) + 8, np.uint8)
    out = 0
    out_offsets[0] = 0
    for row in range(len(offsets) - 1):
        begin = out
        low = int(offsets[row])
        high = int(offsets[row + 1])
        platform = scopes[row, 0]
        channel = scopes[row, 1]
        seen = np.uint8(0)
        for index in range(low, high):
            seen |= values[index]
        latin = bool(seen >= 128) and mostly_latin(values, low, high, choices)
        signature = CHAR_SEED
        letters = False
        pending = ABSENT
        written_markers = 0
        gap = False
        token = 0
        position = low
        while position < high or pending != ABSENT:
            mood = ABSENT
            end = position
            length = -1
            if position < high:
                byte = values[position]
                if byte <= 32:
                    gap = True
                    token += 1
                    position += 1
                    continue
                spaced = 0
                if is_letter(byte) and position + 1 < high and values[position + 1] == 32 and (gap or position == low):
                    spaced = spelled(values, position, high)
                if spaced > 0:
                    join_letters(values, position, spaced, joined, 0)
                    length = split_letters(joined, spaced, words, word_values, scratch)
                    if length > 0:
                        end = position + 2 * spaced - 1
                        token += spaced - 1
                        state = CHAR_SEED
                        for index in range(length):
                            state = extend(state, scratch[index])
                        value = mood_of(state, platform, channel, moods, mood_values)
                        mood = value & MOOD if value >= 0 else ABSENT
                    else:
                        length = -1
                if length < 0 and byte >= 0xE2 and emoji_size(values, position, parts) > 0:
                    end, mood = find_emoji(values, position, high, parts, platform, channel, moods, mood_values)
                elif length < 0:
                    state = CHAR_SEED
                    core = state
                    before_core = state
                    core_end = position
                    disguised = False
                    previous = 32
                    run = 0
                    lettered = False
                    while end < high:
                        byte = values[end]
                        if byte <= 32 or (byte >= 0xE2 and end > position and emoji_size(values, end, parts) > 0):
                            break
                        earlier = state
                        state = extend(state, byte)
                        if not is_stop(byte):
                            before_core = earlier
                            core = state
                            core_end = end + 1
                        if is_letter(byte):
                            disguised |= is_leet(previous)
                            lettered = True
                            run += 1
                        else:
                            # Of the characters that begin with E2 only letters matter, not punctuation and symbols.
                            disguised |= byte >= 0xC3 and (byte != 0xE2 or values[end + 1] >= 0xB0)
                            disguised |= run == 1 and is_separator(byte)
                            disguised |= lettered and is_leet(byte) and byte != 33
                            run = 0
                        previous = byte
                        end += 1
                    linked = previous == 47 and end - position == 3 and values[position] == 58
                    value = mood_of(state, platform, channel, moods, mood_values)
                    if value >= 0 and value & PHRASE:
                        phrase_end, phrase_mood, phrase_words = find_phrase(
                            values, end, high, state, platform, channel, moods, mood_values
                        )
                        if phrase_words > 0:
                            end = phrase_end
                            mood = phrase_mood
                            token += phrase_words - 1
                    stops = True
                    if mood == ABSENT and core_end < end and (value < 0 or value & (MOOD | CASED) == ABSENT):
                        stops = False
                        value = mood_of(core, platform, channel, moods, mood_values)
                    if mood == ABSENT and value >= 0 and value & CASED:
                        written = cased_state(
                            composed, int(composed_offsets[row]), int(composed_offsets[row + 1]), token, stops
                        )
                        cased = mood_of(written, platform, channel, moods, mood_values)
                        if cased >= 0:
                            mood = cased & MOOD
                    if mood == ABSENT and value >= 0:
                        mood = value & MOOD
                    doubled = core_end - position > 2 and values[core_end - 1] == values[core_end - 2]
                    doubled = doubled and not linked
                    if mood == ABSENT and doubled:
                        value = mood_of(before_core, platform, channel, moods, mood_values)
                        mood = value & MOOD if value >= 0 else ABSENT
                    if mood == ABSENT and disguised:
                        length = undisguise(values, position, end, latin, choices, words, word_values, scratch)
                        state = CHAR_SEED
                        for index in range(length):
                            state = extend(state, scratch[index])
                        value = mood_of(state, platform, channel, moods, mood_values)
                        mood = value & MOOD if value >= 0 else ABSENT
            if pending not in (ABSENT, mood):
                size = int(markers[pending, 0])
                there = size > 0 and end - position == size - 1
                for index in range(size - 1 if there else 0):
                    there = there and values[position + index] == markers[pending, 2 + index]
                if size > 0 and not there and written_markers < MAX_MARKERS:
                    written_markers += 1
                    for index in range(size):
                        out_values[out] = markers[pending, 1 + index]
                        out += 1
                    gap = True
                pending = ABSENT
            if position >= high:
                break
            if gap and out > begin:
                out_values[out] = 32
                out += 1
            gap = False
            span = end - position if length < 0 else length
            for index in range(span):
                byte = values[position + index] if length < 0 else scratch[index]
                out_values[out] = max(byte, 32)
                out += 1
                if byte >= 128 or is_letter(byte):
                    signature = (signature ^ np.uint64(byte)) * PRIME
                    letters = True
            pending = mood
            position = end
        out_offsets[row + 1] = out
        key = CHAR_SEED
        for index in range(begin, out):
            key = extend(key, out_values[index])
        keys[row] = np.int64(key) if out > begin else 0
        signatures[row] = np.int64(signature) if letters else 0
