"""Cross-validation: a model is trained on all folds but one and asked about that one, for each fold."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from echopulse.training import datasets
from echopulse.training.evaluation import Asked, measured
from echopulse.training.metrics import METRICS
from schemas.errors import EchoPulseError
from transforms.keys import string_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from transforms.model import Model

    Examples = Mapping[str, datasets.Labelled]

#: Of the rows to train on, one in so many calibrates.
CALIBRATING = 10


@dataclass(frozen=True)
class Fold:
    """The rows of each task to learn from, those to calibrate on and those asked about, and a folder for the models."""

    learnt: Examples
    calibrating: Examples
    asked: Examples
    folder: Path

    @property
    def asked_texts(self) -> pa.StringArray:
        """The texts that are asked about, of whatever task."""
        return pa.concat_arrays([rows.texts for rows in self.asked.values()])


def cross_validate(
    tasks: Sequence[str],
    data: Path,
    folds: int,
    fit: Callable[[Fold], Mapping[str, Model]],
    progress: Callable[[str], None],
) -> dict[str, dict[str, Any]]:
    """Return each model's metrics over all rows of its tasks, each said by one that saw none of its fold; in percent.

    `fit` makes the models of a fold, by their names, without its `asked`. Equal texts are in one fold, in whatever
    task. `folds` of each answer are the folds' own metrics. Raises EchoPulseError for fewer than two folds.
    """
    if folds < 2:  # noqa: PLR2004 - one fold would leave nothing to train on
        raise EchoPulseError(f"{folds} folds", "cross-validation needs 2 or more")
    rows = {name: _rows(data, name) for name in tasks}
    counts: dict[str, dict[str, list[NDArray[np.int64]]]] = {}
    with tempfile.TemporaryDirectory() as place:
        for number in range(folds):
            progress(f"fold {number + 1} of {folds}")
            fold = _fold(rows, number, folds, Path(place) / f"fold-{number}")
            for model_name, model in fit(fold).items():
                said = counts.setdefault(model_name, {name: [] for name in tasks})
                for name, asked in fold.asked.items():
                    said[name].append(Asked(model, name, asked).counts)
                progress(
                    f"fold {number + 1}: {model_name}: " + ", ".join(_told(name, said[name][-1]) for name in tasks)
                )
    return {
        model_name: {name: _document(name, found) for name, found in said.items()}
        for model_name, said in counts.items()
    }


def _document(task: str, found: Sequence[NDArray[np.int64]]) -> dict[str, Any]:
    metric = datasets.TASKS[task].metric
    return measured(metric, np.sum(found, axis=0)) | {
        "folds": [round(float(METRICS[metric](each)), 2) for each in found]
    }


def _told(task: str, counts: NDArray[np.int64]) -> str:
    return f"{task} {METRICS[datasets.TASKS[task].metric](counts):.1f}"


def _rows(data: Path, task: str) -> datasets.Labelled:
    parts = [part for split in ("train", "val") if (part := datasets.load(data, task, split)) is not None]
    if not parts:
        raise EchoPulseError(f"{data} has no rows for {task}")
    targets = [part.targets for part in parts if part.targets is not None]
    return datasets.Labelled(
        pa.concat_arrays([part.texts for part in parts]),
        np.concatenate([part.labels for part in parts]),
        pa.concat_arrays(targets) if targets else None,
    )


def text_keys(texts: pa.StringArray) -> NDArray[np.int64]:
    """Return a number below 2^32 for each text, the same for equal ones."""
    keys: NDArray[np.int64] = string_keys(texts).fill_null(0).to_numpy().astype(np.int64) & 0xFFFFFFFF
    return keys


def fold_of(texts: pa.StringArray, folds: int) -> NDArray[np.int64]:
    """Return which fold each text is in, from 0."""
    return text_keys(texts) % folds


def _fold(rows: Examples, number: int, folds: int, folder: Path) -> Fold:
    learnt, calibrating, asked = {}, {}, {}
    for name, labelled in rows.items():
        keys = text_keys(labelled.texts)
        own = keys % folds == number
        calibrates = ~own & (keys // folds % CALIBRATING == 0)
        learnt[name] = labelled.where(~own & ~calibrates)
        calibrating[name] = labelled.where(calibrates)
        asked[name] = labelled.where(own)
    return Fold(learnt, calibrating, asked, folder)
