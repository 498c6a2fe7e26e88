"""Distillation: a teacher's probabilities are wanted beside the labels (Hinton, Vinyals and Dean 2015)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from echopulse.training.heads import Lessons
from transforms.model import question
from transforms.normalisation import normalise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from echopulse.training.datasets import Labelled
    from echopulse.training.heads import Head
    from transforms.model import Model


@dataclass(frozen=True)
class Teaching:
    """A teacher, unlabelled texts that it is asked about too, and how much its word counts beside a label's.

    `trust` is the teacher's share of what a labelled row wants; `weight` that of a row which it alone labels, for each
    head. `origin` names what the unlabelled texts were read from, by file name and digest.
    """

    teacher: Model
    texts: pa.StringArray
    origin: Mapping[str, str]
    trust: float = 0.5
    weight: float = 0.5

    def declared(self) -> dict[str, Any]:
        """Return what a manifest says of it."""
        return {
            "teacher": self.teacher.digest,
            "unlabelled": dict(self.origin),
            "trust": self.trust,
            "teacher_weight": self.weight,
        }


def distilled(
    learnt: Lessons, heads: Sequence[Head], teaching: Teaching, held: Mapping[str, Labelled], off_topic: float
) -> Lessons:
    """Return the lessons with the teacher's word mixed in, then the unlabelled texts; none of `held` is among them.

    Toward a target the teacher is asked only on the target's own texts: elsewhere it knows nothing of it. Rows that
    weigh no more than `off_topic` for a target's head are off its topic.
    """
    fresh = unseen(teaching.texts, learnt.texts, held)
    batch = question(pa.concat_arrays([learnt.texts, fresh]))
    said = {
        head.name: teaching.teacher.answer(head.name, batch).probabilities
        for head in heads
        if head.name in teaching.teacher.manifest.tasks
    }
    return mixed(learnt, heads, said, fresh, teaching.trust, teaching.weight, off_topic)


def mixed(
    learnt: Lessons,
    heads: Sequence[Head],
    said: Mapping[str, NDArray[np.floating[Any]]],
    fresh: pa.StringArray,
    trust: float,
    weight: float,
    off_topic: float,
) -> Lessons:
    """Return the lessons with what a teacher said of each head mixed in, then `fresh`, which it alone labels.

    `said` has the probabilities [rows of the lessons and of `fresh`, labels] of the heads that the teacher knows;
    `trust` and `weight` are those of Teaching.
    """
    more = Lessons(
        fresh,
        np.zeros((len(fresh), learnt.wanted.shape[1]), np.float32),
        np.zeros((len(fresh), len(heads)), np.float32),
    )
    together = learnt.followed_by(more)
    for index, head in enumerate(heads):
        if head.name not in said:
            continue
        wanted = said[head.name][:, 1:] if len(head.columns) == 1 else said[head.name]
        columns = np.array(head.columns)
        labelled = np.flatnonzero(together.weights[:, index] > 0)
        if head.task.by_target:
            # What was given no label about the target, or a label off its topic, is none of the teacher's business.
            labelled = labelled[together.weights[labelled, index] > off_topic]
        taught = together.wanted[np.ix_(labelled, columns)]
        together.wanted[np.ix_(labelled, columns)] = (1 - trust) * taught + trust * wanted[labelled]
        if not head.task.by_target:
            others = np.flatnonzero(together.weights[:, index] == 0)
            together.wanted[np.ix_(others, columns)] = wanted[others]
            together.weights[others, index] = weight
    return together


def unseen(texts: pa.StringArray, known: pa.StringArray, held: Mapping[str, Labelled]) -> pa.StringArray:
    """Return the distinct texts that are neither learnt from already nor held back, however either is written down."""
    distinct = pc.unique(texts)
    own = as_read(distinct)
    seen = as_read(pa.concat_arrays([known, *(part.texts for part in held.values())]))
    first = pc.equal(pc.index_in(own, value_set=own), pa.array(np.arange(len(own)), pa.int32()))
    return distinct.filter(pc.and_(first, pc.invert(pc.is_in(own, value_set=seen))))


def as_read(texts: pa.StringArray) -> pa.StringArray:
    """Return texts as models read them: a platform's payload has other spaces, and HTML's entities resolved."""
    for entity, meant in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        texts = pc.replace_substring(texts, entity, meant)
    return normalise(texts).normalised
