"""Chat lines made up for training: tweets hold few emotes, so the mood lexicon says what such lines mean."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from echopulse.training.heads import Lessons, width
from transforms.mood_lexicon import SHIPPED, read_moods

if TYPE_CHECKING:
    from collections.abc import Sequence

    from echopulse.training.heads import Head

SENTIMENT = "sentiment"
#: Negative, neutral, positive: how a line whose only mood is this one is mostly meant in live chat. Judged by us.
MEANT: dict[str, tuple[float, float, float]] = {
    "laugh": (0.15, 0.25, 0.60),
    "love": (0.03, 0.10, 0.87),
    "joy": (0.05, 0.17, 0.78),
    "hype": (0.05, 0.20, 0.75),
    "approve": (0.05, 0.20, 0.75),
    "hello": (0.03, 0.67, 0.30),
    "sad": (0.65, 0.25, 0.10),
    "fear": (0.50, 0.38, 0.12),
    "anger": (0.77, 0.17, 0.06),
    "disgust": (0.75, 0.18, 0.07),
    "mock": (0.68, 0.24, 0.08),
    "bored": (0.60, 0.33, 0.07),
    "sarcasm": (0.45, 0.35, 0.20),
    "surprise": (0.25, 0.50, 0.25),
    "think": (0.12, 0.73, 0.15),
    "neutral": (0.08, 0.84, 0.08),
}
#: Shares of lines that are tokens alone, and the most tokens and words of other texts in a line.
_ALONE = 0.5
_TOKENS = 4
_WORDS = 6
#: How much of the mood's meaning is left where words stand beside it; the rest is told evenly.
_BESIDE_WORDS = 0.8


def chat_lessons(heads: Sequence[Head], texts: pa.StringArray, per_thousand: int, seed: int) -> Lessons:
    """Make up lines for each thousand of `texts`, of tokens of one mood and words from `texts`; only sentiment learns.

    No lines where sentiment is not among the heads.
    """
    index = next((place for place, head in enumerate(heads) if head.name == SENTIMENT), None)
    rows = len(texts) * per_thousand // 1_000 if index is not None else 0
    wanted = np.zeros((rows, width(heads)), np.float32)
    weights = np.zeros((rows, len(heads)), np.float32)
    if index is None or not rows:
        return Lessons(pa.array([], pa.string()), wanted, weights)
    generator = np.random.default_rng(seed)
    moods = list(MEANT)
    chosen = generator.integers(0, len(moods), rows)
    alone = generator.random(rows) < _ALONE
    sources = texts.take(pa.array(generator.integers(0, len(texts), rows))).to_pylist()
    lines = [
        _line(moods[mood], "" if single else source, generator)
        for mood, single, source in zip(chosen, alone, sources, strict=True)
    ]
    meant = np.array([MEANT[mood] for mood in moods], np.float32)[chosen]
    meant[~alone] = _BESIDE_WORDS * meant[~alone] + (1 - _BESIDE_WORDS) / meant.shape[1]
    wanted[:, heads[index].columns] = meant
    weights[:, index] = 1.0
    return Lessons(pa.array(lines, pa.string()), wanted, weights)


def _line(mood: str, source: str, generator: np.random.Generator) -> str:
    tokens = _tokens()[mood]
    count = int(generator.integers(1, _TOKENS + 1))
    names = [tokens[place] for place in generator.integers(0, len(tokens), count)]
    if generator.random() < _ALONE:
        names = names[:1] * count
    words = source.split()
    start = int(generator.integers(0, max(1, len(words))))
    return " ".join([*words[start : start + int(generator.integers(1, _WORDS + 1))], *names])


@cache
def _tokens() -> dict[str, list[str]]:
    """Return the shipped tokens by mood, those that hold on every platform."""
    entries = [entry for path in SHIPPED for entry in read_moods(path) if not entry.platform and not entry.channel]
    return {mood: [entry.token for entry in entries if entry.mood == mood] for mood in MEANT}
