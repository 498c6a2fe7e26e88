"""The mood lexicon as a hash table for the kernels, with the marker of each mood."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import emoji
import numpy as np
import pyarrow as pa

from transforms.buffers import string_buffers
from transforms.kernels.bag import CHAR_SEED, WORD_SEED
from transforms.kernels.moods import ABSENT, CASED, MAX_WORDS, MOOD, PHRASE, SCOPED, scoped
from transforms.kernels.text import clean
from transforms.mood_lexicon import MOODS, SHIPPED, read_moods
from transforms.vocabulary import hash_table, hash_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from transforms.mood_lexicon import MoodEntry

NEUTRAL = "neutral"
_TONES = {0x1F3FB + tone: None for tone in range(5)}


@dataclass(frozen=True)
class MoodTable:
    """Hashes of tokens, 0 in a free slot, their values (see transforms.kernels.moods), and whether any has a scope.

    Tokens are told apart by 64 bits of FNV-1a alone: with 10,000 entries a token of a text is taken for another one
    once in 2e15 look-ups.
    """

    keys: NDArray[np.uint64]
    values: NDArray[np.int32]
    scoped: bool


def build_table(entries: Iterable[MoodEntry]) -> MoodTable:
    """Build the table; of two entries for one token (and platform and channel) the later holds.

    Tokens are held as normalisation leaves them: compatibility forms, runs cut to two, no variation selectors or tones.
    An emoji that compatibility makes letters of (the trade mark sign) is left out. Phrases and emoji match in any case.
    """
    values: dict[int, int] = {}
    any_scoped = False
    for entry in entries:
        token = cleaned(entry.matched).translate(_TONES) if emoji.emoji_count(entry.token) else cleaned(entry.matched)
        words = token.split(" ")
        if not token or len(words) > MAX_WORDS or (emoji.is_emoji(entry.token) and token.isascii()):
            continue
        folded = cleaned(entry.matched.lower()) if entry.cased else token
        base = hash_text(folded.translate(_TONES) if emoji.emoji_count(folded) else folded)
        for count in range(1, len(words)):
            begins = hash_text(" ".join(words[:count]))
            values[begins] = values.get(begins, ABSENT) | PHRASE
        mood = MOODS.index(entry.mood)
        state = base
        if entry.cased and len(words) == 1:
            values[base] = values.get(base, ABSENT) | CASED
            state = hash_text(entry.matched, WORD_SEED)
        if entry.platform is not None or entry.channel is not None:
            any_scoped = True
            values[state] = values.get(state, ABSENT) | SCOPED
            state = int(scoped(np.uint64(state), scope_hash(entry.platform), scope_hash(entry.channel)))
        values[state] = (values.get(state, ABSENT) & ~MOOD) | mood
    return MoodTable(*hash_table(list(values), list(values.values())), any_scoped)


def scope_hash(name: str | None) -> np.uint64:
    """Return the hash of a platform or a channel, 0 for none."""
    return np.uint64(hash_text(name, CHAR_SEED) if name else 0)


@cache
def load_table(paths: tuple[Path, ...] = SHIPPED) -> MoodTable:
    """Build the table of lexicon files, once a process; raises EchoPulseError where one cannot be read."""
    return build_table(entry for path in paths for entry in read_moods(path))


@cache
def markers() -> NDArray[np.uint8]:
    """Return [moods, bytes + 1]: the length of each mood's marker and the marker, length 0 for the neutral one."""
    texts = [b"" if mood == NEUTRAL else f" :{mood}:".encode() for mood in MOODS]
    table = np.zeros((len(texts), 1 + max(map(len, texts))), np.uint8)
    for row, text in enumerate(texts):
        table[row, : 1 + len(text)] = [len(text), *text]
    return table


def cleaned(text: str) -> str:
    """Clean one folded text as normalisation does."""
    column = pa.array([text], pa.string())
    values, offsets = string_buffers(column)
    out = np.empty(len(values) + 1, np.uint8)
    out_offsets = np.empty(2, np.int32)
    clean(values, offsets, out, out_offsets)
    return out[: out_offsets[1]].tobytes().decode()
