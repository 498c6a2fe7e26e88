"""The heads of a model, one a task or a target of one, and what each row of training teaches each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from echopulse.training import datasets
from schemas.errors import EchoPulseError
from transforms.artifact import STANCE, Task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_BINARY = 2


@dataclass(frozen=True)
class Head:
    """A head: its name in the manifest, its task, its target where the task has them, its columns of the scores.

    A task of two labels has one column, the log-odds of the second; others have one a label.
    """

    name: str
    task: datasets.LabelledTask
    target: str
    columns: tuple[int, ...]

    def own(self, labelled: datasets.Labelled) -> datasets.Labelled:
        """Return the rows that are about the head's target."""
        if not self.task.by_target:
            return labelled
        return labelled.where(pc.equal(labelled.targets, self.target).to_numpy(zero_copy_only=False))

    def declared(self, biases: NDArray[np.float32] | None = None) -> Task:
        """Return the head's entry in a manifest, not yet calibrated."""
        offsets = [0.0 if biases is None else float(biases[column]) for column in self.columns]
        return Task(
            labels=self.task.labels,
            columns=self.columns,
            link="sigmoid" if len(self.columns) == 1 else "softmax",
            slope=1.0,
            offsets=tuple(offsets),
        )


def load_all(data: Path, tasks: Sequence[str], split: str) -> dict[str, datasets.Labelled]:
    """Load a split of every task; raises EchoPulseError where the folder has no rows of one."""
    loaded = {}
    for task in tasks:
        labelled = datasets.load(data, task, split)
        if labelled is None or not len(labelled.labels):
            wanted = ", ".join(f"{stem.rstrip('.')}.{split}.parquet" for stem in datasets.TASKS[task].files)
            raise EchoPulseError(f"{data} has no {split} rows for {task}", f"wanted: {wanted}")
        loaded[task] = labelled
    return loaded


def lay_out(examples: Mapping[str, datasets.Labelled]) -> list[Head]:
    """Give each task, or each target that its rows name, its head and its columns."""
    heads: list[Head] = []
    first = 0
    for name, labelled in examples.items():
        task = datasets.TASKS[name]
        width = 1 if len(task.labels) == _BINARY else len(task.labels)
        for target in sorted(pc.unique(labelled.targets).to_pylist()) if task.by_target else [""]:
            heads.append(Head(STANCE + target if target else name, task, target, tuple(range(first, first + width))))
            first += width
    return heads


def width(heads: Sequence[Head]) -> int:
    """Return how many columns the heads have."""
    return 1 + max(column for head in heads for column in head.columns)


@dataclass(frozen=True)
class Lessons:
    """What training teaches: texts, wanted values [rows, columns] and the weight of each row for each head.

    A single column wants the probability of the second label, several want those of their labels.
    """

    texts: pa.StringArray
    wanted: NDArray[np.float32]
    weights: NDArray[np.float32]

    def followed_by(self, other: Lessons) -> Lessons:
        """Return these rows and then the other ones."""
        return Lessons(
            pa.concat_arrays([self.texts, other.texts]),
            np.concatenate([self.wanted, other.wanted]),
            np.concatenate([self.weights, other.weights]),
        )


def lessons(
    heads: Sequence[Head], examples: Mapping[str, datasets.Labelled], evenness: float, off_topic: float = 0.0
) -> Lessons:
    """Return a row for each labelled text, which teaches the head of its task (and target).

    A label weighs its inverse frequency to the power of `evenness`, 1 in the mean of its head's rows. A text that is
    not about a target teaches the target's head its first label, none, with the weight `off_topic`.
    """
    starts = dict(zip(examples, np.cumsum([0, *(len(part.labels) for part in examples.values())]), strict=False))
    rows = sum(len(part.labels) for part in examples.values())
    wanted = np.zeros((rows, width(heads)), np.float32)
    weights = np.zeros((rows, len(heads)), np.float32)
    for index, head in enumerate(heads):
        labelled = examples[head.task.name]
        own = np.arange(len(labelled.labels))
        if head.task.by_target:
            own = np.flatnonzero(pc.equal(labelled.targets, head.target).to_numpy(zero_copy_only=False))
        labels = labelled.labels[own]
        own = own + starts[head.task.name]
        frequency = np.bincount(labels, minlength=len(head.task.labels)) / len(labels)
        balanced = np.maximum(frequency, 1e-6) ** -evenness
        if head.task.by_target:
            wanted[:, head.columns[0]] = 1.0
            wanted[own, head.columns[0]] = 0.0
            weights[:, index] = off_topic
        weights[own, index] = (balanced / (balanced * frequency).sum())[labels]
        if len(head.columns) == 1:
            wanted[own, head.columns[0]] = labels
        else:
            wanted[own, np.array(head.columns)[labels]] = 1.0
    return Lessons(pa.concat_arrays([part.texts for part in examples.values()]), wanted, weights)


def declaration(tasks: Sequence[str], data: Path) -> dict[str, Any]:
    """Return what a manifest says of a training: its tasks and the digests of its files."""
    return {"tasks": list(tasks), "data": datasets.data_digests(data, list(tasks))}
