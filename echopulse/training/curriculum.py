"""The order in which a network learns its lessons: how often each part of them comes, and what is in a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from echopulse.training.chat import chat_lessons
from echopulse.training.identity import identity_lessons

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from echopulse.training.datasets import Labelled
    from echopulse.training.heads import Head, Lessons

#: Batches are of like length: so many are cut from one pool that is sorted.
_POOL = 50


@dataclass(frozen=True)
class Curriculum:
    """Lessons, and of each part of their rows (from, to) how often it comes in an epoch.

    The first `told` rows are texts that people wrote; the rest is made up.
    """

    lessons: Lessons
    parts: tuple[tuple[int, int, float], ...]
    told: int

    def order(self, epochs: float, generator: np.random.Generator, kept: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return rows in the order in which they are learnt, those `kept` alone; each round of a part anew."""
        drawn = []
        for low, high, times in self.parts:
            rows = low + np.flatnonzero(kept[low:high])
            count = round(len(rows) * times * epochs)
            rounds = -(-count // max(1, len(rows)))
            drawn.append(
                np.concatenate([generator.permutation(rows) for _ in range(rounds)])[:count] if count else rows[:0]
            )
        return generator.permutation(np.concatenate(drawn))


def curriculum(
    heads: Sequence[Head],
    learnt: Lessons,
    examples: Mapping[str, Labelled],
    repeats: Mapping[str, float],
    chat_per_thousand: int,
    seed: int,
) -> Curriculum:
    """Return the lessons of `examples`, in their order, whatever follows them there, and then what is made up.

    What is made up are chat lines and sentences that name a group of people. `repeats` tells of a task how often its
    rows come, where not once.
    """
    parts, start = [], 0
    for name, labelled in examples.items():
        parts.append((start, start + len(labelled.labels), repeats.get(name, 1.0)))
        start += len(labelled.labels)
    told = len(learnt.texts)
    whole = learnt.followed_by(chat_lessons(heads, learnt.texts.slice(0, start), chat_per_thousand, seed))
    whole = whole.followed_by(identity_lessons(heads))
    parts += [(start, told, 1.0), (told, len(whole.texts), 1.0)]
    return Curriculum(whole, tuple(parts), told)


def batches(
    order: NDArray[np.int64], lengths: NDArray[np.int64], batch: int, generator: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """Cut an order into batches of `batch` rows of like length; what is left of a pool of them is not learnt."""
    pool = batch * _POOL
    for start in range(0, len(order) - batch + 1, pool):
        rows = order[start : start + pool]
        rows = rows[np.argsort(lengths[rows], kind="stable")]
        cut = [rows[at : at + batch] for at in range(0, len(rows) - batch + 1, batch)]
        for place in generator.permutation(len(cut)):
            yield cut[place]
