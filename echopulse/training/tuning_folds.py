"""Cross-validation of what is fitted on validation rows: two models' calibration, and the thresholds of their cascade.

The two are trained once, on training rows alone. What is left to chance is the fitting: it is done on all folds of the
validation rows but one, and judged on that one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from echopulse.training import datasets
from echopulse.training.calibration import calibrated
from echopulse.training.cascade import ASKED_SHARES, shared_heads, threshold
from echopulse.training.evaluation import Asked, measured
from echopulse.training.folds import fold_of
from echopulse.training.heads import lay_out
from echopulse.training.metrics import METRICS, paired_difference
from echopulse.training.remembered import remembered
from schemas.errors import EchoPulseError
from transforms.decision import certainty
from transforms.model import TableModel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from echopulse.training.remembered import Remembered
    from transforms.artifact import Manifest, Task
    from transforms.model import Model

CASCADE = "cascade"


def cross_validate_tuning(
    held: Mapping[str, datasets.Labelled],
    folds: int,
    models: Mapping[str, Model],
    progress: Callable[[str], None],
    shares: Mapping[str, float] = ASKED_SHARES,
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the metrics of two models and of their cascade over all rows of `held`, by model and task, in percent.

    `models` are, by their names, the one that answers and the one that is asked, about `shares` of the tasks' rows.
    Equal texts are in one fold. The
    cascade's have `asked`, the share of rows that the second model answered, and
    `difference`: its metric less the second model's on the same rows, with a 95 % interval by the paired bootstrap.
    Raises EchoPulseError for fewer than two folds or models, and for a model that is a cascade itself.
    """
    if folds < 2:  # noqa: PLR2004 - one fold would leave nothing to fit on
        raise EchoPulseError(f"{folds} folds", "cross-validation needs 2 or more")
    first, second = _stages(models)
    shared = {name: rows for name, rows in held.items() if shared_heads(first, second, name)}
    texts = [rows.texts for rows in shared.values()]
    fast, strong = (remembered(model, texts, progress) for model in (first, second))
    said: dict[str, list[NDArray[np.int64]]] = {name: [] for name in shared}
    asked: dict[str, int] = dict.fromkeys(shared, 0)
    for number in range(folds):
        own = {name: fold_of(rows.texts, folds) == number for name, rows in shared.items()}
        fitting = {name: rows.where(~own[name]) for name, rows in shared.items()}
        quick, sure = (model.by(calibrated(_plain(model), lay_out(fitting), fitting)) for model in (fast, strong))
        for name, rows in shared.items():
            answers = [Asked(model, name, rows) for model in (quick, sure)]
            task = quick.manifest.task(shared_heads(quick, sure, name)[0])
            certain = certainty(task, answers[0].chances)
            doubtful = certain < threshold(certain[~own[name]], shares[name])
            both = np.where(doubtful, answers[1].chosen, answers[0].chosen)
            asked[name] += int((doubtful & own[name]).sum())
            said[name].append(_cells(name, rows.labels, answers[0].chosen, answers[1].chosen, both, own[name]))
    return _documents(said, asked, list(models))


def cross_calibrated(
    model: TableModel, held: Mapping[str, datasets.Labelled], folds: int
) -> dict[str, NDArray[np.int64]]:
    """Return a model's confusion counts on all rows of `held` by task, each row by a calibration that did not see it.

    Equal texts are in one fold.
    """
    kept = _plain(remembered(model, [rows.texts for rows in held.values()], lambda _: None))
    counts: dict[str, NDArray[np.int64]] = {}
    for number in range(folds):
        own = {name: fold_of(rows.texts, folds) == number for name, rows in held.items()}
        fitting = {name: rows.where(~own[name]) for name, rows in held.items()}
        fitted = kept.by(calibrated(kept, lay_out(fitting), fitting))
        for name, rows in held.items():
            counts[name] = counts.get(name, 0) + Asked(fitted, name, rows.where(own[name])).counts
    return counts


def _stages(models: Mapping[str, Model]) -> list[TableModel]:
    stages = [model for model in models.values() if isinstance(model, TableModel)]
    if len(models) != 2:  # noqa: PLR2004 - one answers, the other is asked
        raise EchoPulseError(f"a cascade of {', '.join(models)} alone", "it wants two models")
    for name, model in models.items():
        if model not in stages:
            raise EchoPulseError(f"'{name}' is a cascade itself", "name the models that it is made of")
    return stages


def _plain(model: Remembered) -> Remembered:
    """Return the model as if it had not been calibrated: a softmax's offsets bear its slope.

    They keep its biases, from which others are fitted as well.
    """
    tasks = {name: _uncalibrated(task) for name, task in model.manifest.tasks.items()}
    manifest: Manifest = model.manifest.model_copy(update={"tasks": tasks})
    return model.by(manifest)


def _uncalibrated(task: Task) -> Task:
    offsets = tuple(offset / task.slope for offset in task.offsets)
    return task.model_copy(update={"slope": 1.0, "offsets": offsets, "decision_offsets": ()})


def _cells(
    name: str,
    gold: NDArray[np.int64],
    fast: NDArray[np.int64],
    strong: NDArray[np.int64],
    both: NDArray[np.int64],
    rows: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Count the rows marked by [gold, first, second, cascade]."""
    labels = len(datasets.TASKS[name].labels)
    cells = ((gold * labels + fast) * labels + strong) * labels + both
    return np.bincount(cells[rows], minlength=labels**4).reshape((labels,) * 4)


def _documents(
    said: Mapping[str, list[NDArray[np.int64]]], asked: Mapping[str, int], names: Sequence[str]
) -> dict[str, dict[str, dict[str, Any]]]:
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for place, model in enumerate((*names, CASCADE), start=1):
        others = tuple(axis for axis in (1, 2, 3) if axis != place)
        for name, cells in said.items():
            metric = datasets.TASKS[name].metric
            counts = [each.sum(axis=others) for each in cells]
            found.setdefault(model, {})[name] = measured(metric, np.sum(counts, axis=0)) | {
                "folds": [round(float(METRICS[metric](each)), 2) for each in counts]
            }
    for name, cells in said.items():
        metric, whole = datasets.TASKS[name].metric, np.sum(cells, axis=0)
        value, low, high = (round(part, 2) for part in paired_difference(metric, whole.sum(axis=1).swapaxes(1, 2)))
        found[CASCADE][name] |= {
            "asked": round(asked[name] / int(whole.sum()), 3),
            "difference": {"value": value, "low": low, "high": high},
        }
    return found
