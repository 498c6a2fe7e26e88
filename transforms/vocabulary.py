"""Common English words and how often they occur, as a hash table that kernels read to undo disguises."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from schemas.errors import EchoPulseError
from transforms.kernels.bag import CHAR_SEED
from transforms.kernels.hashing import fill, hash_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

#: A word and its count a line, commonest first: words of at least 2 occurrences in the labelled English tweets.
WORDS = Path(__file__).parent / "knowledge" / "words.txt"
#: What follows a number without a space, so that the digit before is a digit: 2nd, 3pm, 50ft, 10k.
UNITS = (
    "a", "am", "b", "bn", "c", "cm", "d", "day", "days", "ers", "eva", "fps", "ft", "g", "gb", "h", "hour",
    "hours", "hr", "hrs", "hz", "in", "ish", "k", "kb", "kg", "kill", "kills", "km", "kph", "lb", "lbs", "m",
    "man", "mb", "men", "mile", "miles", "min", "mins", "ml", "mm", "month", "months", "mph", "nd", "oz", "p",
    "page", "pages", "part", "parts", "pc", "pm", "point", "points", "pt", "pts", "rd", "s", "sec", "secs", "st",
    "star", "stars", "tb", "th", "time", "times", "way", "ways", "week", "weeks", "x", "year", "years", "yr",
    "yrs",
)  # fmt: skip
#: Words that are disguised more often than they follow a dollar sign or a number.
STRONG = (
    "ass", "asses", "asshole", "assholes", "bastard", "bitch", "bitches", "bullshit", "cock", "cocks", "cunt",
    "cunts", "dick", "dicks", "dumb", "dumbass", "fag", "faggot", "faggots", "fags", "fuck", "fucked", "fucker",
    "fucking", "fucks", "hate", "hater", "haters", "hoe", "hoes", "idiot", "idiots", "kill", "killed", "loser",
    "losers", "moron", "morons", "nazi", "nazis", "nigga", "niggas", "nigger", "niggers", "pussy", "rape",
    "raped", "rapist", "retard", "retarded", "retards", "scum", "sex", "sexy", "shit", "shithead", "shits",
    "shitty", "simp", "skank", "skanks", "slut", "sluts", "slutty", "spic", "stupid", "suck", "sucked", "sucker",
    "sucks", "tits", "trash", "trashy", "twat", "whore", "whores",
)  # fmt: skip
#: Bits of a value above the count.
UNIT = 1 << 30
STRONG_WORD = 1 << 29
COUNT = STRONG_WORD - 1
#: Where hashes of three letters in a row begin, so that they are no words'; what stands before and behind a word.
SPELLING_SEED = CHAR_SEED ^ np.uint64(0x5BE11)
EDGE = 32
#: Costs are in tenths of a bit; that of three letters which no word has in a row.
UNSEEN = 100


@dataclass(frozen=True)
class Vocabulary:
    """Hashes of words, 0 in a free slot, and for each its count with the bits UNIT and STRONG_WORD.

    Between them, by hashes of their own, what three letters in a row cost (transforms.kernels.spelling).
    """

    keys: NDArray[np.uint64]
    values: NDArray[np.int32]


@cache
def load_vocabulary(path: Path = WORDS) -> Vocabulary:
    """Read a vocabulary, once a process; raises EchoPulseError that names the file and the line."""
    counts: dict[str, int] = {}
    for number, line in enumerate(path.read_text(encoding="ascii").splitlines(), start=1):
        word, _, count = line.partition(" ")
        if not (word.isalpha() and word.islower() and count.isdigit() and 0 < int(count) < COUNT):
            raise EchoPulseError(f"{path}:{number}: '{line}' is not a word in lower case and its count")
        counts[word] = int(count)
    for word in UNITS:
        counts[word] = counts.get(word, 0) | UNIT
    for word in STRONG:
        counts[word] = max(counts.get(word, 0) & ~UNIT, 1) | (counts.get(word, 0) & UNIT) | STRONG_WORD
    entries = {hash_text(word): value for word, value in counts.items()}
    entries |= {hash_text(row, SPELLING_SEED): cost for row, cost in spelling_costs(counts).items()}
    return Vocabulary(*hash_table(list(entries), list(entries.values())))


def spelling_costs(counts: Mapping[str, int]) -> dict[str, int]:
    """Return how little each letter is expected after two others, in tenths of a bit, by three letters in a row.

    From the words' values: a word weighs as the logarithm of its count. A word begins with two EDGE and ends in one.
    """
    rows: defaultdict[str, float] = defaultdict(float)
    pairs: defaultdict[str, float] = defaultdict(float)
    edge = chr(EDGE)
    for word, value in counts.items():
        spelled = f"{edge}{edge}{word}{edge}"
        weight = math.log1p(value & COUNT)
        for end in range(3, len(spelled) + 1):
            rows[spelled[end - 3 : end]] += weight
            pairs[spelled[end - 3 : end - 1]] += weight
    return {row: min(round(10 * math.log2(pairs[row[:2]] / weight)), UNSEEN) for row, weight in rows.items() if weight}


def hash_text(text: str, seed: np.uint64 = CHAR_SEED) -> int:
    """Return the 64-bit FNV-1a hash of a text's UTF-8 bytes."""
    return int(hash_bytes(np.frombuffer(text.encode(), np.uint8), seed))


def hash_table(hashes: list[int], values: list[int]) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
    """Build a table at most half full from hashes and their values; of equal hashes the later wins."""
    slots = 1 << max(4, (2 * len(hashes)).bit_length())
    keys = np.zeros(slots, np.uint64)
    held = np.zeros(slots, np.int32)
    fill(np.array(hashes, np.uint64), np.array(values, np.int32), keys, held)
    return keys, held
