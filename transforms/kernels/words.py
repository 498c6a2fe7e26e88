"""The words of texts: where each begins and ends, how it is written, and its place in a vocabulary."""
# ruff: noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917, PLR2004 - one scanner a kernel, and UTF-8 is written as its numbers

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from transforms.kernels import BYTES, OFFSETS, compiled
from transforms.kernels.spans import follows_letter, letter_length
from transforms.kernels.vocabulary import find_term, hash_stem

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: How a word is written, as bits: its first letter is a capital, it has a letter that is none, it begins a sentence,
#: it is part of a tag.
CAPITAL, LOWER, FRESH, TAG = 1, 2, 4, 8
#: What alone lies between a word and the one before it: a space, a hyphen, an apostrophe, or something else.
SPACE, HYPHEN, APOSTROPHE = 16, 32, 64
#: It is what a contraction leaves behind the apostrophe ("m", "ll", "ve"), a possessive's s aside.
CONTRACTION = 128
#: The end of no word, beside which none lies.
_NOWHERE = -100

_NEW_LINE, _BLANK, _QUOTE, _DOT, _SLASH, _COLON = 10, 32, 39, 46, 47, 58


#: What a byte is by itself: a letter or underscore, a digit, the first byte of a longer character, none of these.
_LETTER, _DIGIT, _LONGER, _OTHER = 0, 1, 2, 3
_CLASSES = np.full(256, _OTHER, np.uint8)
_CLASSES[list(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")] = _LETTER
_CLASSES[list(b"0123456789")] = _DIGIT
_CLASSES[128:] = _LONGER


@compiled()
def _length(values: NDArray[np.uint8], position: int, high: int) -> int:
    """What letter_length gives, by a table for ASCII."""
    kind = _CLASSES[values[position]]
    if kind == _LONGER:
        return letter_length(values, position, high)
    return 1 if kind <= _DIGIT else 0


@compiled()
def _aligned(composed: NDArray[np.uint8], begin: int, folded: NDArray[np.uint8], low: int, high: int) -> bool:
    """Whether both spellings have the borders of their characters at the same bytes."""
    differing = 0
    for place in range(high - low):
        differing += (composed[begin + place] & 0xC0 == 0x80) != (folded[low + place] & 0xC0 == 0x80)
    return differing == 0


@compiled()
def _address(values: NDArray[np.uint8], start: int, end: int, high: int) -> bool:
    """Whether the word at start:end begins a URL: something:// or www."""
    if end + 2 < high and values[end] == _COLON and values[end + 1] == _SLASH and values[end + 2] == _SLASH:
        return True
    return bool(
        end - start == 3
        and end < high
        and values[end] == _DOT
        and values[start] == 119
        and values[start + 1] == 119
        and values[start + 2] == 119
    )


@compiled()
def _starts_sentence(values: NDArray[np.uint8], position: int, low: int, high: int) -> bool:
    """Whether the character at `position`, no letter, lets the next word begin a sentence.

    A full stop behind a single letter (an initial) and a hyphen within a word do not; quotes, brackets, bullets and
    symbols beyond ASCII do, so that what follows is not taken for a name by its capital alone.
    """
    byte = values[position]
    if byte == _DOT:
        return not (
            position > low
            and letter_length(values, position - 1, high) == 1
            and not follows_letter(values, low, position - 1)
        )
    if byte == 45:
        return not (
            follows_letter(values, low, position)
            and position + 1 < high
            and letter_length(values, position + 1, high) > 0
        )
    if byte == 0xE2:
        return not (values[position + 1] == 0x80 and values[position + 2] == 0x99)
    return byte in (33, 34, 40, 42, 58, 59, 60, 62, 63, 91, 123, 124, 126, _NEW_LINE) or byte > 0xE2


@compiled(
    numba.int64(
        *(BYTES, OFFSETS, BYTES, OFFSETS, numba.uint64[::1], numba.int32[::1]),
        *(numba.boolean[::1], numba.int64[::1], numba.int32[::1], numba.int32[::1], numba.uint8[::1], numba.int32[::1]),
    )
)
def scan_words(
    composed: NDArray[np.uint8],
    composed_offsets: NDArray[np.int32],
    folded: NDArray[np.uint8],
    offsets: NDArray[np.int32],
    keys: NDArray[np.uint64],
    terms: NDArray[np.int32],
    aligned: NDArray[np.bool_],
    firsts: NDArray[np.int64],
    starts: NDArray[np.int32],
    ends: NDArray[np.int32],
    writing: NDArray[np.uint8],
    found: NDArray[np.int32],
) -> int:
    """Find the words of texts, of text i from firsts[i] to firsts[i + 1]; return how many there are.

    A word is a run of letters, digits and underscores; a hashtag's is cut before a capital behind a small letter and
    before a digit behind a letter; a URL has none. `starts` and `ends` are bytes of `folded`, `writing` the bits above,
    `found` the word's term. `aligned` says whether `composed` and `folded` have their characters at the same bytes;
    where they do not, no letter counts as a capital. A capital is a letter that lowering changed.
    """
    count = 0
    for row in range(len(offsets) - 1):
        low = offsets[row]
        high = offsets[row + 1]
        shift = composed_offsets[row] - low
        aligned[row] = composed_offsets[row + 1] - composed_offsets[row] == high - low and _aligned(
            composed, composed_offsets[row], folded, low, high
        )
        firsts[row] = count
        fresh = True
        last_end = _NOWHERE
        position = low
        while position < high:
            if folded[position] == _BLANK:
                position += 1
                continue
            length = _length(folded, position, high)
            if length == 0:
                if _starts_sentence(folded, position, low, high):
                    fresh = True
                position += 1
                while position < high and folded[position] & 0xC0 == 0x80:
                    position += 1
                continue
            before = folded[position - 1] if position > low else _BLANK
            tag = before in (35, 36, 64) and not follows_letter(folded, low, position - 1)
            start = position
            bits = 0
            lettered = False
            small = False
            while length > 0:
                capital = aligned[row] and composed[position + shift] != folded[position]
                for place in range(position + 1, position + length):
                    capital = capital or (aligned[row] and composed[place + shift] != folded[place])
                number = _CLASSES[folded[position]] == _DIGIT
                if tag and position > start and ((capital and small) or (number and lettered)):
                    starts[count], ends[count], writing[count] = start, position, bits | TAG
                    found[count] = find_term(keys, terms, hash_stem(folded, start, position))
                    count += 1
                    start = position
                    bits = 0
                    lettered = False
                if position == start and capital:
                    bits |= CAPITAL
                if not capital and not number:
                    bits |= LOWER
                small = not capital and not number
                lettered = lettered or not number
                position += length
                length = _length(folded, position, high) if position < high else 0
            if (
                not tag
                and position < high
                and folded[position] in (_DOT, _COLON)
                and _address(folded, start, position, high)
            ):
                while position < high and folded[position] != _BLANK and folded[position] != _NEW_LINE:
                    position += 1
                last_end = _NOWHERE
                continue
            if start - last_end == 1:
                if before == _BLANK:
                    bits |= SPACE
                elif before == 45:
                    bits |= HYPHEN
                elif before == _QUOTE:
                    bits |= APOSTROPHE
            elif (
                start - last_end == 3
                and folded[last_end] == 0xE2
                and folded[last_end + 1] == 0x80
                and folded[last_end + 2] == 0x99
            ):
                bits |= APOSTROPHE
            if bits & APOSTROPHE and position - start <= 2 and not (position - start == 1 and folded[start] == 115):
                bits |= CONTRACTION
            if tag:
                bits |= TAG
            elif fresh:
                bits |= FRESH
                # A number does not begin a sentence: the word behind it may still be its first.
                fresh = not lettered
            starts[count], ends[count], writing[count] = start, position, bits
            found[count] = find_term(keys, terms, hash_stem(folded, start, position))
            count += 1
            last_end = position
    firsts[len(offsets) - 1] = count
    return count
