"""Teachers of a transformer: larger networks, fine-tuned on parts of its lessons, whose word it learns beside labels.

A teacher knows by heart what it has learnt, and its word on that is no more than the label. So the rows are cut into as
many parts as there are teachers, each learns all parts but one and is asked about that one (cross-fitting); about texts
that nobody labelled all are asked, and their mean counts (an ensemble; Hinton, Vinyals and Dean 2015).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from echopulse.training.fine_tuning import Pace, Tuned
from echopulse.training.folds import text_keys
from transforms.decision import probabilities

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from echopulse.training.curriculum import Curriculum
    from echopulse.training.heads import Head

#: Bits of a text's key that folds do not go by, so that each part has rows of every fold.
_FOLDS_BITS = 16


@dataclass(frozen=True)
class Teachers:
    """So many networks that start from the weights in `base`, and the unlabelled texts that they are asked about too.

    `origin` names what those texts were read from, by file name and digest, `named` the weights; `trust` and `weight`
    are those of a Teaching.
    """

    base: Path
    count: int
    texts: pa.StringArray
    origin: Mapping[str, str] = field(default_factory=dict)
    named: Mapping[str, Any] = field(default_factory=dict)
    trust: float = 0.5
    weight: float = 0.5
    pace: Pace = field(default_factory=lambda: Pace(epochs=2.0, rate=5e-5, dropout=0.1))

    def declared(self) -> dict[str, Any]:
        """Return what a manifest says of them."""
        return {
            "teachers": self.count,
            "teacher_base": dict(self.named),
            "unlabelled": dict(self.origin),
            "trust": self.trust,
            "teacher_weight": self.weight,
            "teacher_epochs": self.pace.epochs,
            "teacher_rate": self.pace.rate,
        }


def said_by(
    teachers: Teachers,
    heads: Sequence[Head],
    lessons: Curriculum,
    fresh: pa.StringArray,
    seed: int,
    progress: Callable[[str], None],
) -> dict[str, NDArray[np.float32]]:
    """Return of each head the teachers' probabilities [rows people wrote and of `fresh`, labels].

    Of a row that is learnt it is the word of the teacher that did not learn it, of `fresh` the mean of all.
    """
    texts = lessons.lessons.texts
    parts = (text_keys(texts) >> _FOLDS_BITS) % teachers.count
    made_up = np.arange(len(texts)) >= lessons.told
    said = {head.name: np.zeros((lessons.told + len(fresh), len(head.task.labels)), np.float32) for head in heads}
    for part in range(teachers.count):
        progress(f"teacher {part + 1} of {teachers.count}")
        teacher = Tuned(teachers.base, heads, seed + part, teachers.pace.dropout)
        teacher.learn(lessons, made_up | (parts != part), teachers.pace, seed + part, progress)
        own = np.flatnonzero(~made_up & (parts == part))
        scores = teacher.ask(pa.concat_arrays([texts.take(pa.array(own)), fresh]))
        for head in heads:
            words = probabilities(head.declared(), scores)
            said[head.name][own] = words[: len(own)]
            said[head.name][lessons.told :] += words[len(own) :] / teachers.count
    return said
