"""What a run of train, tune or evaluate says of its data, its order and its model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from echopulse.tracking.measures import numbers
from echopulse.tracking.record import DataInput
from echopulse.training import datasets
from echopulse.training.order import Observer
from transforms.artifact import STANCE, file_digest, read_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from echopulse.tracking.record import RunRecord
    from echopulse.training.evaluation import Asked
    from echopulse.training.order import Order

#: Where in a run's artifacts its model is.
MODEL = "model"
_PURPOSE = {"train": "training", "val": "validation", "test": "evaluation"}


class Watched:
    """Takes down what a training or an evaluation shows: curves of epochs, and pictures of each task's answers."""

    def __init__(self, record: RunRecord) -> None:
        """Take it down in `record`."""
        self._record = record
        self._curves: dict[str, dict[int, float]] = {}

    @property
    def observer(self) -> Observer:
        """What a training takes to be watched."""
        return Observer(self.epoch, self.answers)

    def epoch(self, number: int, quality: Mapping[str, float]) -> None:
        """Take down an epoch."""
        self._record.measure({f"{name}.epoch": value for name, value in quality.items()}, step=number)
        for name, value in quality.items():
            self._curves.setdefault(name, {})[number] = value

    def answers(self, name: str, asked: Asked) -> None:
        """Draw a task's answers."""
        # matplotlib takes half a second to import.
        from echopulse.tracking import pictures  # noqa: PLC0415

        labels = asked.task.labels
        counts = {"labels": list(labels), "gold_by_said": asked.counts.tolist()}
        self._record.files |= {
            f"confusion/{name}.json": json.dumps(counts).encode(),
            f"confusion/{name}.png": pictures.confusion_picture(asked.counts, labels, name),
            f"curves/{name}.precision_recall.png": pictures.curves_picture(asked.chances, asked.gold, labels, name),
            f"curves/{name}.calibration.png": pictures.calibration_picture(asked.chances, asked.gold, name),
        }

    def finish(self) -> None:
        """Draw the epochs, where there were any."""
        if self._curves:
            from echopulse.tracking import pictures  # noqa: PLC0415

            self._record.files["curves/epochs.png"] = pictures.epochs_picture(self._curves, "training")


def note_order(record: RunRecord, order: Order) -> None:
    """Take down what was ordered, and the files that it reads, by their digests."""
    record.parameters(
        kind=order.kind,
        tasks=" ".join(order.tasks),
        seed=order.seed,
        epochs=order.epochs,
        teacher=order.teacher,
        folds=order.folds or None,
        first=order.first,
        second=order.second,
        teachers=order.teachers or None,
        teacher_base=order.teacher_base,
        **{f"recipe.{name}": value for name, value in order.recipe.items()},
    )
    tasks = datasets.chosen_tasks(list(order.tasks)) or list(datasets.TASKS)
    # A cascade is tuned on validation rows, of models that have learnt; only its folds train models of their own.
    learns = order.kind != "cascade" or (order.folds > 0 and order.first is None and order.second is None)
    note_data(record, order.data, tasks, ("train", "val") if learns else ("val",))
    for path in order.unlabelled:
        if path.is_file():  # a missing one is refused by the training
            record.inputs.append(_input(path, "unlabelled"))


def note_data(record: RunRecord, data: Path, tasks: Sequence[str], splits: Sequence[str]) -> None:
    """Take down the labelled files of tasks; a file that several splits share counts once."""
    seen: set[Path] = set()
    for split in splits:
        for task in tasks:
            for path in datasets.task_files(data, task, split).values():
                if path not in seen:
                    seen.add(path)
                    record.inputs.append(_input(path, _PURPOSE.get(split, split)))


def note_model(record: RunRecord, folder: Path, document: Mapping[str, Any], *, kept: bool) -> None:
    """Take down what the model came to; with `kept` its artifact and card are among the run's files."""
    record.measure(numbers(document))
    manifest, digest = read_manifest(folder)
    record.tags |= {"echopulse.digest": digest, "echopulse.tasks": " ".join(task_names(manifest.tasks))}
    record.parameters(model_kind=manifest.kind)
    told = {key: value for key, value in document.items() if key != "output"}
    record.files["document.json"] = json.dumps(told, indent=1, default=str).encode()
    if kept:
        record.files[MODEL] = folder


def task_names(heads: Mapping[str, object]) -> list[str]:
    """Return the tasks that a manifest's heads are of; stance toward any target is one."""
    return list(dict.fromkeys("stance" if head.startswith(STANCE) else head for head in heads))


def _input(path: Path, context: str) -> DataInput:
    return DataInput(path.name, file_digest(path).removeprefix("sha256:"), str(path.absolute()), context)
