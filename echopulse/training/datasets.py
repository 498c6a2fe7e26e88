"""Labelled texts by task and split, from a folder of Parquet files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.errors import EchoPulseError, did_you_mean
from transforms.artifact import file_digest
from transforms.payloads.batches import read_payloads
from transforms.payloads.catalogue import platforms_of
from transforms.payloads.interpretation import UNTOLD

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

#: A file without splits: one row in ten, by position, validates; none tests.
UNSPLIT_SHARE = 10


@dataclass(frozen=True)
class Labelled:
    """Texts with the index of each one's label and, in a task that has them, each one's target."""

    texts: pa.StringArray
    labels: NDArray[np.int64]
    targets: pa.StringArray | None = None

    def where(self, rows: NDArray[np.bool_]) -> Labelled:
        """Return the rows marked."""
        mask = pa.array(rows)
        return Labelled(self.texts.filter(mask), self.labels[rows], self.targets and self.targets.filter(mask))


@dataclass(frozen=True)
class LabelledTask:
    """A task: its labels in order, its metric, and the files it is made of, whose labels are told in the task's.

    `files` maps a file's stem to {label in the file: label of the task}; a stem with splits ends in a dot. A task
    `by_target` has a column `target`, and a model a head for each.
    """

    name: str
    labels: tuple[str, ...]
    metric: str
    files: dict[str, dict[str, str]]
    by_target: bool = False


_SENTIMENT = ("negative", "neutral", "positive")
_TOXIC = ("not_toxic", "toxic")
_STANCE = ("none", "against", "favor")

TASKS: dict[str, LabelledTask] = {
    task.name: task
    for task in (
        LabelledTask("sentiment", _SENTIMENT, "macro_recall", {"sentiment.": {label: label for label in _SENTIMENT}}),
        LabelledTask(
            "offensive",
            ("not_offensive", "offensive"),
            "macro_f1",
            {"offensive.": {"not_offensive": "not_offensive", "offensive": "offensive"}},
        ),
        LabelledTask("hate", ("not_hate", "hate"), "macro_f1", {"hate.": {"not_hate": "not_hate", "hate": "hate"}}),
        LabelledTask(
            "toxicity",
            _TOXIC,
            "macro_f1",
            {
                "offensive.": {"not_offensive": "not_toxic", "offensive": "toxic"},
                "hate.": {"not_hate": "not_toxic", "hate": "toxic"},
                "davidson": {"neither": "not_toxic", "offensive": "toxic", "hate": "toxic"},
            },
        ),
        LabelledTask(
            "stance", _STANCE, "f1_favor_against", {"stance.": {label: label for label in _STANCE}}, by_target=True
        ),
    )
}
#: The splits that a file without a split in its name is parted into.
_OF_UNSPLIT = ("train", "val")
#: Toxicity comes with the two tasks it is made of.
TOGETHER: dict[str, tuple[str, ...]] = {"toxicity": ("offensive", "hate", "toxicity")}


def chosen_tasks(names: list[str]) -> list[str]:
    """Return the tasks to train for the names given, in the order of TASKS; raises EchoPulseError."""
    for name in names:
        if name not in TASKS:
            raise EchoPulseError(f"no task '{name}'", did_you_mean(name, TASKS))
    wanted = {task for name in names for task in TOGETHER.get(name, (name,))}
    return [name for name in TASKS if name in wanted]


def task_files(data: Path, task: str, split: str) -> dict[str, Path]:
    """Return {stem: path} of the task's files for a split, those that are there."""
    named = {
        stem: data / f"{stem}{split if stem.endswith('.') else ''}.parquet".replace("..", ".")
        for stem in TASKS[task].files
    }
    return {
        stem: path for stem, path in named.items() if path.is_file() and (stem.endswith(".") or split in _OF_UNSPLIT)
    }


def load(data: Path, task: str, split: str) -> Labelled | None:
    """Load a task's split, all its files in one; None where none of them is there.

    Raises EchoPulseError for a file without the columns text and label, or with a label the task does not know.
    """
    parts = [_read(path, stem, TASKS[task], split) for stem, path in task_files(data, task, split).items()]
    if not parts:
        return None
    texts = pa.concat_arrays([part.texts for part in parts])
    targets = pa.concat_arrays([part.targets for part in parts]) if TASKS[task].by_target else None
    return Labelled(texts, np.concatenate([part.labels for part in parts]), targets)


def data_digests(data: Path, tasks: list[str], splits: tuple[str, ...] = ("train", "val")) -> dict[str, str]:
    """Return {file name: sha256:…} of every file that training and validation (or other splits) read."""
    paths = {path for task in tasks for split in splits for path in task_files(data, task, split).values()}
    return {path.name: file_digest(path) for path in sorted(paths)}


def read_texts(path: Path) -> pa.StringArray:
    """Read the column `text` of a Parquet file, or what the payloads of a replay file (`raw`) say.

    '' where a row says nothing. Raises EchoPulseError where a file has neither column.
    """
    if not _is_replay(path):
        return pc.fill_null(_columns(path, ["text"])["text"], "")
    events = _columns(path, ["raw", "source"])
    kinds = np.full(len(events), UNTOLD, np.int8)
    said = read_payloads(pc.cast(events["raw"], pa.binary()), platforms_of(events["source"]), kinds)
    return pc.fill_null(said.columns["text"], "")


def _is_replay(path: Path) -> bool:
    try:
        names = pq.read_schema(path).names
    except (OSError, pa.ArrowInvalid):
        return False
    return "text" not in names and {"raw", "source"} <= set(names)


def _columns(path: Path, names: list[str]) -> pa.RecordBatch:
    wanted = ", ".join(names)
    try:
        table = pq.read_table(path, columns=names, use_threads=False).combine_chunks()
    except (OSError, pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise EchoPulseError(f"{path} cannot be read: {str(error).splitlines()[0]}", f"columns: {wanted}") from error
    if set(table.column_names) != set(names):
        raise EchoPulseError(f"{path} has the columns {', '.join(table.column_names)}", f"wanted: {wanted}")
    arrays = [table[name].combine_chunks() for name in names]
    return pa.RecordBatch.from_arrays(arrays, names=names)


def _read(path: Path, stem: str, task: LabelledTask, split: str) -> Labelled:
    batch = _columns(path, ["text", "label", "target"] if task.by_target else ["text", "label"])
    names = batch["label"]
    mapping = task.files[stem]
    unknown = set(pc.unique(names).to_pylist()) - set(mapping)
    if unknown:
        found = min(map(str, unknown))
        raise EchoPulseError(f"{path}: label '{found}' is none of {task.name}'s", did_you_mean(found, mapping))
    own = pc.index_in(names, value_set=pa.array(list(mapping)))
    labels = np.array([task.labels.index(label) for label in mapping.values()])[own.to_numpy()]
    targets = pc.fill_null(batch["target"], "") if task.by_target else None
    labelled = Labelled(pc.fill_null(batch["text"], ""), labels, targets)
    if stem.endswith("."):
        return labelled
    validates = np.arange(len(labels)) % UNSPLIT_SHARE == 0
    return labelled.where(validates if split == "val" else ~validates)
