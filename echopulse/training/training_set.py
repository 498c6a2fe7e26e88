"""The rows that a model learns from, as its declaration has them: today's, or those it was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from echopulse.training import datasets
from echopulse.training.chat import chat_lessons
from echopulse.training.distillation import unseen
from echopulse.training.heads import Lessons, lay_out, lessons, load_all
from echopulse.training.identity import identity_lessons
from features.lake.versions import rows_version
from schemas.errors import EchoPulseError, did_you_mean
from transforms.artifact import file_digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from echopulse.training.heads import Head
    from transforms.artifact import Manifest

#: What a declaration says of files: their digests are told apart, for equal rows are equal in whatever file they are.
_OF_FILES = ("data", "unlabelled")
#: What a recipe must say for the rows to be told.
_RECIPE = ("tasks", "data", "evenness", "off_topic", "chat_per_thousand", "seed")


@dataclass(frozen=True)
class TrainingSet:
    """Rows in the order in which training lays them out, and what they come from.

    Columns: `origin` (labelled, unlabelled, chat or identity), `task`, `target`, `label`, `text`, `wanted` (a value
    for each column of the model's scores) and `weights` (one for each of `heads`). `wanted` is null where the teacher
    alone says what is wanted. Training visits the rows in an order that the seed draws.
    """

    rows: pa.Table
    heads: tuple[str, ...]
    declaration: Mapping[str, Any]
    files: Mapping[str, str]

    @property
    def version(self) -> str:
        """A digest over rows and declaration, not over files: compressed or split otherwise, it is the same set."""
        told = {name: value for name, value in self.declaration.items() if name not in _OF_FILES}
        return rows_version(self.rows, {"declaration": told, "heads": list(self.heads)})


def training_set(
    manifest: Manifest, data: Path, *, as_trained: bool, erased: Mapping[str, str] | None = None
) -> TrainingSet:
    """Return what a model would be trained on with the files in `data` today, or `as_trained` what it was trained on.

    `erased` maps digests of files that a user's rows were erased from to when. Raises EchoPulseError where the model
    declares no training, a file is missing, or, `as_trained`, a file is not the one that it was.
    """
    declared = manifest.training
    _check(manifest)
    files = _digests(declared, data)
    if as_trained:
        _refuse_others(manifest.name, _told_digests(declared), files, data, erased or {})
    examples, held = (load_all(data, declared["tasks"], split) for split in ("train", "val"))
    heads = lay_out(examples)
    labelled = lessons(heads, examples, declared["evenness"], declared["off_topic"])
    fresh = _unlabelled(heads, declared, data, labelled, held)
    known = pa.concat_arrays([labelled.texts, fresh.texts])
    chat = chat_lessons(heads, known, declared["chat_per_thousand"], declared["seed"])
    parts = {"labelled": labelled, "unlabelled": fresh, "chat": chat, "identity": identity_lessons(heads)}
    return TrainingSet(_rows(parts, examples), tuple(head.name for head in heads), declared, files)


def _check(manifest: Manifest) -> None:
    missing = [name for name in _RECIPE if name not in manifest.training]
    if missing and manifest.cascade:
        stages = manifest.cascade
        raise EchoPulseError(
            f"model '{manifest.name}' is a cascade: it was tuned, not trained",
            f"its models were: {stages.first}, {stages.second}",
        )
    if missing:
        raise EchoPulseError(f"model '{manifest.name}' does not declare its training: '{missing[0]}' is missing")
    for task in manifest.training["tasks"]:
        if task not in datasets.TASKS:
            raise EchoPulseError(
                f"model '{manifest.name}' was trained for '{task}'", did_you_mean(task, datasets.TASKS)
            )


def _told_digests(declared: Mapping[str, Any]) -> dict[str, str]:
    return {**declared["data"], **declared.get("unlabelled", {})}


def _digests(declared: Mapping[str, Any], data: Path) -> dict[str, str]:
    """Return the digests of all files that training would read from the folder."""
    if not data.is_dir():
        raise EchoPulseError(f"{data}: no such folder", "--data, or training_data in the settings, names the files'")
    unlabelled = {name: data / name for name in declared.get("unlabelled", {})}
    for path in unlabelled.values():
        if not path.is_file():
            raise EchoPulseError(f"{path} is missing", "the teacher was asked about its texts")
    found = datasets.data_digests(data, declared["tasks"])
    return found | {name: file_digest(path) for name, path in sorted(unlabelled.items())}


def _refuse_others(
    model: str, told: Mapping[str, str], found: Mapping[str, str], data: Path, erased: Mapping[str, str]
) -> None:
    for name in sorted({*told, *found}):
        if name not in told:
            raise EchoPulseError(
                f"{data / name} was not there when '{model}' was trained", "without --as-trained it counts"
            )
        if found.get(name) == told[name]:
            continue
        if told[name] in erased:
            raise EchoPulseError(
                f"{data / name}: rows that '{model}' was trained on were erased on {erased[told[name]]}",
                "`feature forget` took a user's rows out: what the model was trained on is no more",
            )
        if name not in found:
            raise EchoPulseError(f"{data / name} is missing", f"'{model}' was trained on {told[name]}")
        raise EchoPulseError(
            f"{data / name} is not what '{model}' was trained on: {found[name]} instead of {told[name]}",
            "without --as-trained today's files count",
        )


def _unlabelled(
    heads: Sequence[Head],
    declared: Mapping[str, Any],
    data: Path,
    labelled: Lessons,
    held: Mapping[str, datasets.Labelled],
) -> Lessons:
    """Return the texts that the teacher alone labels; toward a target it is not asked."""
    names = declared.get("unlabelled", {})
    texts = pa.concat_arrays([pa.array([], pa.string()), *(datasets.read_texts(data / name) for name in names)])
    fresh = unseen(texts, labelled.texts, held)
    weights = np.zeros((len(fresh), len(heads)), np.float32)
    for index, head in enumerate(heads):
        weights[:, index] = 0.0 if head.task.by_target else declared.get("teacher_weight", 0.0)
    return Lessons(fresh, np.full((len(fresh), labelled.wanted.shape[1]), np.nan, np.float32), weights)


def _rows(parts: Mapping[str, Lessons], examples: Mapping[str, datasets.Labelled]) -> pa.Table:
    counts = {origin: len(part.texts) for origin, part in parts.items()}
    others = sum(counts.values()) - counts["labelled"]
    tasks = [pa.array([name] * len(part.labels), pa.string()) for name, part in examples.items()]
    labels = [
        pa.array(np.array(datasets.TASKS[name].labels, dtype=object)[part.labels], pa.string())
        for name, part in examples.items()
    ]
    targets = [
        part.targets if part.targets is not None else pa.nulls(len(part.labels), pa.string())
        for part in examples.values()
    ]
    unknown = [pa.nulls(others, pa.string())]
    return pa.table(
        {
            "origin": pa.array([origin for origin, count in counts.items() for _ in range(count)], pa.string()),
            "task": pa.concat_arrays(tasks + unknown),
            "target": pa.concat_arrays(targets + unknown),
            "label": pa.concat_arrays(labels + unknown),
            "text": pa.concat_arrays([part.texts for part in parts.values()]),
            "wanted": _lists(np.concatenate([part.wanted for part in parts.values()])),
            "weights": _lists(np.concatenate([part.weights for part in parts.values()])),
        }
    )


def _lists(matrix: NDArray[np.float32]) -> pa.FixedSizeListArray:
    """Return a matrix as a list a row, null where it is not a number."""
    mask = np.isnan(matrix[:, 0]) if matrix.shape[1] else np.zeros(len(matrix), np.bool_)
    values = pa.array(np.nan_to_num(matrix).ravel(), pa.float32())
    return pa.FixedSizeListArray.from_arrays(values, matrix.shape[1], mask=pa.array(mask))
