"""Cross-validation: a model is trained on all folds but one and asked about that one, for each fold."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from echopulse.training import datasets
from echopulse.training.evaluation import Asked, measured
from echopulse.training.metrics import METRICS
from schemas.errors import EchoPulseError
from transforms.keys import string_keys
from transforms.loading import load_model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    Examples = Mapping[str, datasets.Labelled]

#: Of the rows to train on, one in so many calibrates.
CALIBRATING = 10


def cross_validate(
    tasks: Sequence[str],
    data: Path,
    folds: int,
    fit: Callable[[Examples, Examples, Path], str],
    progress: Callable[[str], None],
) -> dict[str, dict[str, Any]]:
    """Return each task's metric over all its rows, each said by a model that saw none of its fold; in percent.

    `fit` trains on rows, calibrates on others and writes the model into a folder. Equal texts are in one fold, in
    whatever task. `folds` of each answer are the folds' own metrics. Raises EchoPulseError for fewer than two folds.
    """
    if folds < 2:  # noqa: PLR2004 - one fold would leave nothing to train on
        raise EchoPulseError(f"{folds} folds", "cross-validation needs 2 or more")
    rows = {name: _rows(data, name) for name in tasks}
    counts: dict[str, NDArray[np.int64]] = {}
    single: dict[str, list[float]] = {name: [] for name in tasks}
    with tempfile.TemporaryDirectory() as place:
        for fold in range(folds):
            progress(f"fold {fold + 1} of {folds}")
            folder = Path(place) / f"fold-{fold}"
            parts = {name: _parted(labelled, fold, folds) for name, labelled in rows.items()}
            fit(
                {name: part[0] for name, part in parts.items()}, {name: part[1] for name, part in parts.items()}, folder
            )
            model = load_model(folder)
            for name, (_, _, asked) in parts.items():
                found = Asked(model, name, asked).counts
                counts[name] = counts[name] + found if fold else found
                single[name].append(round(float(METRICS[datasets.TASKS[name].metric](found)), 2))
    return {
        name: measured(datasets.TASKS[name].metric, found) | {"folds": single[name]} for name, found in counts.items()
    }


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


def _parted(
    labelled: datasets.Labelled, fold: int, folds: int
) -> tuple[datasets.Labelled, datasets.Labelled, datasets.Labelled]:
    """Return the rows to train on, those to calibrate on and those to ask about."""
    keys = string_keys(labelled.texts).fill_null(0).to_numpy().astype(np.int64) & 0xFFFFFFFF
    asked = keys % folds == fold
    calibrating = ~asked & (keys // folds % CALIBRATING == 0)
    return labelled.where(~asked & ~calibrating), labelled.where(calibrating), labelled.where(asked)
