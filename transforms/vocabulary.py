"""Common English words and how often they occur, as a hash table that kernels read to undo disguises."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from schemas.errors import EchoPulseError
from transforms.kernels.bag import CHAR_SEED
from transforms.kernels.hashing import fill, hash_bytes

if TYPE_CHECKING:
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


@dataclass(frozen=True)
class Vocabulary:
    """Hashes of words, 0 in a free slot, and for each its count with the bits UNIT and STRONG_WORD."""

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
    return Vocabulary(*hash_table([hash_text(word) for word in counts], list(counts.values())))


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
