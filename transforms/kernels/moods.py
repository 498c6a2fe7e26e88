"""Tokens, phrases and emoji looked up in the table of moods."""
# ruff: noqa: PLR2004 - kernels are single loops, UTF-8 is written as its numbers

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from transforms.kernels import compiled
from transforms.kernels.bag import CHAR_SEED, PRIME, WORD_SEED
from transforms.kernels.hashing import extend, find
from transforms.kernels.text import invisible

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: A value: the index of the mood in its low bits, ABSENT for none by itself, and what else there is about the token.
MOOD = 31
ABSENT = 31
PHRASE, CASED, SCOPED = 32, 64, 128
#: Words of a phrase, and code points of an emoji sequence.
MAX_WORDS = 4
MAX_SEQUENCE = 8


@compiled()
def scoped(state: np.uint64, platform: np.uint64, channel: np.uint64) -> np.uint64:
    """Return the hash of a token on one platform and in one channel, 0 for any."""
    return (((state ^ platform) * PRIME) ^ channel) * PRIME


@compiled()
def mood_of(
    state: np.uint64, platform: np.uint64, channel: np.uint64, keys: NDArray[np.uint64], held: NDArray[np.int32]
) -> int:
    """Return the value of a token by its hash, -1 where it is unknown; the channel's own mood goes before others."""
    slot = find(keys, state)
    if slot < 0:
        return -1
    value = int(held[slot])
    if value & SCOPED:
        nowhere = np.uint64(0)
        for step in range(3):
            at = scoped(state, platform if step != 1 else nowhere, channel if step != 2 else nowhere)
            slot = find(keys, at)
            if slot >= 0 and (step == 1 or platform != nowhere) and (step == 2 or channel != nowhere):
                return (value & ~MOOD) | int(held[slot])
    return value


@compiled()
def is_stop(byte: int) -> bool:
    """Whether a byte is punctuation that may follow a token: . , ! ?"""
    return byte in (33, 44, 46, 63)


@compiled()
def find_phrase(
    values: NDArray[np.uint8],
    end: int,
    high: int,
    state: np.uint64,
    platform: np.uint64,
    channel: np.uint64,
    keys: NDArray[np.uint64],
    held: NDArray[np.int32],
) -> tuple[int, int, int]:
    """Return (end, mood, words) of the longest phrase whose first word, hashed, ends at `end`; 0 words for none."""
    position = end
    best = (0, 0, 0)
    words = 1
    while words < MAX_WORDS and position < high and values[position] <= 32:
        words += 1
        position += 1
        state = extend(state, 32)
        core = state
        while position < high and values[position] > 32:
            state = extend(state, values[position])
            if not is_stop(values[position]):
                core = state
            position += 1
        value = mood_of(state, platform, channel, keys, held)
        goes_on = value >= 0 and value & PHRASE != 0
        if core != state and (value < 0 or value & MOOD == ABSENT):
            value = mood_of(core, platform, channel, keys, held)
        if value >= 0 and value & MOOD != ABSENT:
            best = (position, value & MOOD, words)
        if not goes_on:
            break
    return best


@compiled()
def emoji_size(values: NDArray[np.uint8], position: int, parts: NDArray[np.uint8]) -> int:
    """Return the bytes of the emoji character at `position`, 0 where there is none; keycaps and ASCII are none."""
    byte = values[position]
    if byte < 0xE2:
        return 0
    if byte < 0xF0:
        point = (byte & 0x0F) << 12 | (values[position + 1] & 0x3F) << 6
        point |= values[position + 2] & 0x3F
        return 3 if parts[point] in (1, 2) else 0
    point = (byte & 0x07) << 18 | (values[position + 1] & 0x3F) << 12
    point |= (values[position + 2] & 0x3F) << 6 | values[position + 3] & 0x3F
    return 4 if point < len(parts) and parts[point] in (1, 2) else 0


@compiled()
def is_tone(values: NDArray[np.uint8], position: int) -> bool:
    """Whether the four bytes at `position` are a skin tone, U+1F3FB to U+1F3FF."""
    return bool(
        values[position] == 0xF0
        and values[position + 1] == 0x9F
        and values[position + 2] == 0x8F
        and values[position + 3] >= 0xBB
    )


@compiled()
def find_emoji(
    values: NDArray[np.uint8],
    low: int,
    high: int,
    parts: NDArray[np.uint8],
    platform: np.uint64,
    channel: np.uint64,
    keys: NDArray[np.uint64],
    held: NDArray[np.int32],
) -> tuple[int, int]:
    """Return (end, mood) of the longest known sequence at `low`; of one character and ABSENT where none is known.

    Skin tones are passed over; joiners and variation selectors are gone from the text by now.
    """
    state = CHAR_SEED
    position = low
    end = low + emoji_size(values, low, parts)
    mood = ABSENT
    for step in range(MAX_SEQUENCE):
        if position >= high:
            break
        size = emoji_size(values, position, parts)
        if size == 0:
            break
        if step > 0 and size == 4 and is_tone(values, position):
            if end == position:
                end += size
            position += size
            continue
        for index in range(position, position + size):
            state = extend(state, values[index])
        position += size
        value = mood_of(state, platform, channel, keys, held)
        if value >= 0 and value & MOOD != ABSENT:
            end = position
            mood = value & MOOD
    return end, mood


@compiled()
def cased_state(values: NDArray[np.uint8], low: int, high: int, token: int, stops: bool) -> np.uint64:  # noqa: FBT001
    """Hash the `token`-th white-space separated token of values[low:high] as it is written, with `stops` or without."""
    position = low
    count = -1
    while position < high:
        while position < high and (values[position] <= 32 or values[position] == 127):
            position += 1
        state = WORD_SEED
        core = WORD_SEED
        visible = False
        while position < high and values[position] > 32 and values[position] != 127:
            size = invisible(values, position, high)
            if size > 0:
                position += size
                continue
            state = extend(state, values[position])
            if not is_stop(values[position]):
                core = state
            visible = True
            position += 1
        count += 1 if visible else 0
        if count == token:
            return state if stops else core
    return np.uint64(0)
