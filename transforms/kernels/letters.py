"""The letters of a text's words and the script that most of them are of, in one pass over UTF-8."""
# ruff: noqa: C901, PLR0912, PLR2004 - kernels are single loops, and UTF-8 and ASCII are written as numbers

from __future__ import annotations

from typing import TYPE_CHECKING

from transforms.kernels import compiled
from transforms.kernels.text import begins_url

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Bytes of letters that are read: enough to tell, and what comes after costs as much again.
MOST_READ = 64
#: Repeats of a letter that are kept.
_MAX_RUN = 2


@compiled()
def _point(values: NDArray[np.uint8], position: int, high: int) -> tuple[int, int]:
    """Return the code point at `position` and its length in bytes."""
    byte = int(values[position])
    if byte < 0x80:
        return byte, 1
    if byte < 0xE0:
        return (byte & 0x1F) << 6 | int(values[position + 1] & 0x3F), min(2, high - position)
    if byte < 0xF0:
        point = (byte & 0x0F) << 12 | int(values[position + 1] & 0x3F) << 6
        return point | int(values[position + 2] & 0x3F), 3
    return 0x10000, 4


@compiled()
def _word_end(values: NDArray[np.uint8], position: int, high: int) -> tuple[int, bool]:
    """Return where the run of non-space ends, and whether it is language: no URL, mention, emote in colons, digit."""
    first = values[position]
    end = position
    spoken = not (first == 64 or (first in (104, 119) and begins_url(values, position, high)))
    while end < high and values[end] > 32 and values[end] != 127:
        spoken = spoken and not 48 <= values[end] <= 57
        end += 1
    if end - position > 2 and first in (58, 60) and values[end - 1] in (58, 62):
        spoken = False
    return end, spoken


@compiled()
def write_letters(
    values: NDArray[np.uint8],
    low: int,
    high: int,
    scripts: NDArray[np.uint8],
    only: int,
    letters: NDArray[np.uint8],
    counts: NDArray[np.int32],
) -> tuple[int, int]:
    """Write the words of values[low:high] with a space around each; return the bytes written and the words.

    `counts` gets, for each script + 1, the letters that follow one of their own script: a letter alone is a part of
    a face. With `only` above 0 the letters of that script alone are written.
    """
    letters[0] = 32
    out = 1
    words = 0
    position = low
    while position < high and out < MOST_READ:
        if values[position] <= 32 or values[position] == 127:
            position += 1
            continue
        end, spoken = _word_end(values, position, high)
        if not spoken:
            position = end
            continue
        previous = 0
        last = 0
        run = 0
        while position < end and out < MOST_READ:
            point, length = _point(values, position, high)
            script = int(scripts[point]) if point < len(scripts) else 0
            apostrophe = point in (0x27, 0x2019)
            if apostrophe:
                point = 0x27
            if (script > 0 and (only in (0, script))) or apostrophe:
                run = run + 1 if point == last else 1
                last = point
                if run <= _MAX_RUN:
                    if script > 0 and script == previous:
                        counts[script] += 1
                    if letters[out - 1] == 32:
                        words += 1
                    if apostrophe:
                        letters[out] = 0x27
                        out += 1
                    else:
                        for step in range(length):
                            letters[out + step] = values[position + step]
                        out += length
            else:
                last = 0
                if letters[out - 1] != 32:
                    letters[out] = 32
                    out += 1
            previous = script
            position += length
        if letters[out - 1] != 32:
            letters[out] = 32
            out += 1
    return out, words


@compiled()
def script_of(counts: NDArray[np.int32], han: int, kana: int) -> int:
    """Return the script that most letters are of, + 1; 0 where there are none."""
    best = 0
    most = 0
    for script in range(1, len(counts)):
        # A character of Chinese, Japanese or Korean stands for a syllable or a word.
        weight = counts[script] * (2 if han <= script <= han + 2 else 1)
        if weight > most:
            most = weight
            best = script
    if best in (han, kana) and counts[kana] * 10 >= counts[han] and counts[kana] > 0:
        return kana
    return best
