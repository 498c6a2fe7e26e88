"""Score a model on labelled files it may never have seen: each task's metric with its interval, and the speed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from echopulse.training import datasets
from echopulse.training.metrics import METRICS, calibration_error, confusion, interval
from schemas.errors import EchoPulseError, did_you_mean
from transforms.artifact import STANCE, find_artifact
from transforms.loading import load_model
from transforms.model import question

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from transforms.model import Model

BATCH_ROWS = 20_000
SPLITS = ("train", "val", "test")
#: What a split is worth to an evaluation, the most first.
_WORTH = ("test", "val", "train")
_WARM_ROWS = 100


def evaluate(
    model: str | Path,
    data: Path,
    split: str,
    observe: Callable[[str, Asked], None] | None = None,
    on_step: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Evaluate a model (a shipped one's name or a folder) on every task it has and the folder holds; in percent.

    `texts_per_second`, of CPU time, counts normalisation and the answers to each task's own texts, 20,000 at a time.
    `observe` is shown each task's answers, `on_step` is told what is begun. Raises EchoPulseError where the model is
    unknown or the folder holds none of its tasks.
    """
    if not data.is_dir():
        raise EchoPulseError(f"{data} is not a folder", "--data names a folder of TASK.SPLIT.parquet")
    on_step(f"opening {model}")
    opened = load_model(find_artifact(str(model)))
    names = [name for name in datasets.TASKS if _knows(opened, name)]
    loaded = {name: datasets.load(data, name, split) for name in names}
    parts = {name: labelled for name, labelled in loaded.items() if labelled is not None and len(labelled.labels)}
    if not parts:
        wanted = ", ".join(f"{name}.{split}.parquet" for name in names)
        others = [
            other for other in SPLITS if other != split and any(datasets.task_files(data, t, other) for t in names)
        ]
        hint = f"; it has others: --split {min(others, key=_WORTH.index)}" if others else ""
        raise EchoPulseError(f"{data} holds none of the model's tasks", f"wanted: {wanted}{hint}")
    return {"model": str(model), "digest": opened.digest, **evaluate_rows(opened, parts, observe, on_step)}


def evaluate_rows(
    model: Model,
    parts: Mapping[str, datasets.Labelled],
    observe: Callable[[str, Asked], None] | None = None,
    on_step: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Evaluate an opened model on labelled rows by task: `tasks` and `texts_per_second` of what `evaluate` returns."""
    asked = {}
    for place, (name, labelled) in enumerate(parts.items(), 1):
        on_step(f"{name}: {len(labelled.labels):,} texts (task {place} of {len(parts)})")
        asked[name] = Asked(model, name, labelled)
    if observe is not None:
        for name, one in asked.items():
            observe(name, one)
    rows, seconds = sum(len(part.labels) for part in parts.values()), sum(one.seconds for one in asked.values())
    return {"texts_per_second": round(rows / seconds), "tasks": {name: one.document() for name, one in asked.items()}}


def _knows(model: Model, task: str) -> bool:
    return bool(model.manifest.stance_targets()) if datasets.TASKS[task].by_target else task in model.manifest.tasks


class Asked:
    """A model's answers to a task's texts, each for the text's own target, and how long they took."""

    def __init__(self, model: Model, name: str, labelled: datasets.Labelled) -> None:
        self._task = datasets.TASKS[name]
        self._labelled = labelled
        self._sigmoid = False
        self.seconds = 0.0
        rows = len(labelled.labels)
        self.chances = np.zeros((rows, len(self._task.labels)))
        self.chosen = np.zeros(rows, np.int64)
        for head, mask in self._heads(model):
            self._sigmoid = model.manifest.task(head).link == "sigmoid"
            texts = labelled.texts.filter(pa.array(mask))
            _answers(model, head, texts.slice(0, _WARM_ROWS))
            begun = time.process_time()
            self.chances[mask], self.chosen[mask] = _answers(model, head, texts)
            self.seconds += time.process_time() - begun

    def _heads(self, model: Model) -> list[tuple[str, NDArray[np.bool_]]]:
        targets = self._labelled.targets
        if targets is None:
            return [(self._task.name, np.ones(len(self._labelled.labels), np.bool_))]
        known = model.manifest.stance_targets()
        named = pc.unique(targets).to_pylist()
        for target in named:
            if target not in known:
                raise EchoPulseError(
                    f"model '{model.manifest.name}' knows no stance toward '{target}'", did_you_mean(target, known)
                )
        return [(STANCE + name, pc.equal(targets, name).to_numpy(zero_copy_only=False)) for name in named]

    @property
    def task(self) -> datasets.LabelledTask:
        """The task."""
        return self._task

    @property
    def gold(self) -> NDArray[np.int64]:
        """The label of each row, by its index."""
        return self._labelled.labels

    @property
    def counts(self) -> NDArray[np.int64]:
        """The confusion matrix [gold label, said label]."""
        return confusion(self._labelled.labels, self.chosen, len(self._task.labels))

    def document(self) -> dict[str, Any]:
        """Return the metric with its interval, the rows and, of two labels, the calibration error."""
        document = measured(self._task.metric, self.counts)
        if self._sigmoid:
            document["calibration_error"] = round(calibration_error(self.chances[:, 1], self._labelled.labels), 4)
        return document


def measured(metric: str, counts: NDArray[np.int64]) -> dict[str, Any]:
    """Return a metric of a confusion matrix, its 95 % interval and its rows, as `evaluate` tells them."""
    low, high = interval(metric, counts)
    return {
        "metric": metric,
        "value": round(float(METRICS[metric](counts)), 2),
        "low": round(low, 2),
        "high": round(high, 2),
        "rows": int(counts.sum()),
    }


def _answers(model: Model, head: str, texts: pa.StringArray) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    starts = range(0, len(texts), BATCH_ROWS)
    parts = [model.answer(head, question(texts.slice(start, BATCH_ROWS))) for start in starts]
    return np.concatenate([part.probabilities for part in parts]), np.concatenate([part.chosen for part in parts])
