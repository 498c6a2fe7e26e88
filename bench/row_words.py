"""The words of one text and the new names among them, by Python strings; equal to the kernels of transforms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from transforms.kernels.names import JOINER, LONGEST_RUN, PLAIN, TITLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

LETTERS = "A-Za-z0-9_\u00c0-\u1fff\u3040-\ud7ff"
_WORD = re.compile(f"[{LETTERS}]+")
_BREAKS = set('!"(*:;<>?[{|~\n')
_GAPS = {" ": "space", "-": "hyphen", "'": "apostrophe", "\u2019": "apostrophe"}
_DIGITS = "0123456789"
_TITLE_SHARE, _SHORTEST = 8, 3


@dataclass(frozen=True)
class Word:
    """A word of a text: where it stands in characters, and how it is written."""

    start: int
    end: int
    text: str
    tag: bool
    capital: bool
    small: bool
    fresh: bool
    gap: str

    @property
    def contraction(self) -> bool:
        """Whether it is what a contraction leaves behind the apostrophe."""
        return self.gap == "apostrophe" and len(self.text.encode()) <= 2 and self.text != "s"  # noqa: PLR2004


def aligned(composed: str, folded: str) -> bool:
    """Say whether both spellings have their characters at the same bytes."""
    return [len(letter.encode()) for letter in composed] == [len(letter.encode()) for letter in folded]


def scan(composed: str, folded: str) -> Iterator[Word]:
    """Yield the words of a text, those of a hashtag apart, none of a URL."""
    capitals = [mine != other for mine, other in zip(composed, folded, strict=False)]
    if not aligned(composed, folded):
        capitals = [False] * len(folded)
    fresh, last, position = True, -1, 0
    while match := _WORD.search(folded, position):
        start, end = match.span()
        fresh = fresh or any(_breaks(folded, place) for place in range(position, start))
        sigil = folded[max(0, start - 1) : start]
        tag = sigil in {"#", "$", "@"} and not _WORD.fullmatch(folded[max(0, start - 2) : start - 1])
        if not tag and (folded.startswith("://", end) or (match[0] == "www" and folded.startswith(".", end))):
            position, last = re.compile("[^ \n]*").match(folded, end).end(), -1  # type: ignore[union-attr]
            continue
        gap = _GAPS.get(folded[last:start], "") if last >= 0 else ""
        cuts = [place for place in range(start + 1, end) if tag and _cut(folded, capitals, place)]
        for first, stop in pairwise([start, *cuts, end]):
            small = any(not capitals[place] and folded[place] not in _DIGITS for place in range(first, stop))
            yield Word(first, stop, folded[first:stop], tag, capitals[first], small, fresh and not tag, gap)
        fresh = fresh and (tag or not match[0].strip(_DIGITS))
        position = last = end


def _cut(folded: str, capitals: Sequence[bool], place: int) -> bool:
    number = folded[place - 1] in _DIGITS
    if folded[place] in _DIGITS:
        return not number
    return capitals[place] and not capitals[place - 1] and not number


def _breaks(folded: str, place: int) -> bool:
    letter = folded[place]
    before = folded[max(0, place - 2) : place]
    if letter == ".":
        return not (_WORD.fullmatch(before[-1:]) and before[-1:].isascii() and not (before[1:] and _WORD.match(before)))
    if letter == "-":
        return not (_WORD.fullmatch(before[-1:]) and _WORD.match(folded, place + 1))
    return letter != "\u2019" and (letter in _BREAKS or letter >= "\u2000")


def is_careful(words: Sequence[Word], uses: Callable[[str], int]) -> bool:
    """Say whether a text's capitals tell something: it is neither in title case nor in capitals."""
    counted = small = shouted = 0
    for word in words:
        if word.tag or not (word.capital or word.small) or word.gap == "apostrophe":
            continue
        if not word.capital and uses(word.text) & TITLE:
            continue
        counted += 1
        small += not word.capital
        shouted += word.capital and not word.small and len(word.text.encode()) > 1
    return small * _TITLE_SHARE >= max(counted, 1) and shouted * 2 <= counted


def find_runs(
    words: Sequence[Word], uses: Callable[[str], int], taken: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """Yield start and end of the runs of capitalised words outside the spans that are taken."""
    free = [not word.tag and not any(s < word.end and word.start < e for s, e in taken) for word in words]
    place = 0
    while place < len(words):
        if not free[place] or not words[place].capital:
            place += 1
            continue
        stop = place + 1
        while stop < len(words) and free[stop]:
            word, after = words[stop], words[stop + 1 : stop + 2]
            if (word.gap in {"hyphen", "apostrophe"} and (word.gap == "hyphen" or len(word.text.encode()) > 2)) or (  # noqa: PLR2004
                word.gap == "space" and word.capital
            ):
                stop += 1
            elif (
                word.gap == "space"
                and uses(word.text) & JOINER
                and after
                and free[stop + 1]
                and after[0].gap == "space"
                and after[0].capital
            ):
                stop += 2
            else:
                break
        run = list(words[place:stop])
        if stop < len(words) and words[stop].contraction:
            run.pop()
        place = stop
        yield from _trimmed(run, uses, taken)


def _trimmed(
    run: list[Word], uses: Callable[[str], int], taken: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    while run and uses(run[0].text) & PLAIN:
        run.pop(0)
    while len(run) > 1 and uses(run[-1].text) & PLAIN:
        run.pop()
    if not run or len(run) > LONGEST_RUN or not any(word.small for word in run):
        return
    start, end = run[0].start, run[-1].end
    if len(run) == 1:
        beside = any(start - e == 1 or s - end == 1 for s, e in taken)
        if beside or run[0].fresh or len(run[0].text.encode()) < _SHORTEST:
            return
    yield start, end
