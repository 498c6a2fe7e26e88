"""How the bag gains from more labelled rows, with the transformer as its teacher and without.

The share is drawn by text, so that a text is learnt from in all its tasks or in none, and a larger share of a seed
holds the smaller one. The validation rows are asked about, and calibrate by folds: none is judged by what it fitted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from bench.embedded import step
from bench.measure import Figure, Section
from echopulse.training import datasets
from echopulse.training.bag import Recipe, fit
from echopulse.training.distillation import Teaching
from echopulse.training.folds import text_keys
from echopulse.training.heads import load_all
from echopulse.training.metrics import METRICS, interval
from echopulse.training.remembered import remembered
from echopulse.training.tuning_folds import cross_calibrated
from schemas.errors import EchoPulseError
from transforms.artifact import find_artifact
from transforms.loading import load_model
from transforms.model import TableModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

NAME = "learning"
SHARES = (0.125, 0.25, 0.5, 1.0)
SEEDS = (0, 1, 2)
FOLDS = 5
LEARNT = ["sentiment", "toxicity", "stance"]
SHOWN = ("sentiment", "offensive", "hate", "stance")
_ALONE, _TAUGHT = "labels alone", "with a teacher"


def measure(data: Path, folder: Path) -> Section:
    """Train bags into `folder` on shares of the labelled files in `data`, and ask them about the validation rows."""
    step("the bag on more and more rows")
    tasks = datasets.chosen_tasks(LEARNT)
    examples, held = (load_all(data, tasks, split) for split in ("train", "val"))
    teacher = remembered(opened(find_artifact("transformer")), [rows.texts for rows in examples.values()], step)
    figures: list[Figure] = []
    for told, taught in ((_ALONE, None), (_TAUGHT, Teaching(teacher, pa.array([], pa.string()), {}))):
        for share in SHARES:
            step(f"{100 * share:g} % of the rows, {told}")
            counts = []
            for seed in SEEDS:
                rows, place = drawn(examples, share, seed), folder / f"{told}-{share}-{seed}"
                counts.append(cross_calibrated(trained(rows, held, place, seed, taught), held, FOLDS))
            figures += [figure(name, share, told, [each[name] for each in counts]) for name in SHOWN]
    whole = ", ".join(f"{name} {len(examples[name].labels):,}" for name in SHOWN)
    return Section(
        NAME,
        "The bag on more and more labelled rows (`learning`)",
        f"Trained for {', '.join(tasks)} at once; in all {whole} training rows. {len(SEEDS)} seeds, of the draw and "
        f"of the order of the rows. In percent, on the validation rows in {FOLDS} folds: calibration and decision are "
        "fitted on all but one and judged on that one.",
        tuple(figures),
        (
            (
                "the teacher is the shipped transformer, which learnt from all training rows, at every share; it is "
                "asked about the drawn texts alone, without the unlabelled ones that the shipped default has as well"
            ),
            "the interval is by the bootstrap over validation rows, of the seeds' mean counts",
        ),
    )


def drawn(examples: Mapping[str, datasets.Labelled], share: float, seed: int) -> dict[str, datasets.Labelled]:
    """Return a share of the rows of all tasks: equal texts all or none of them, a smaller share within a larger one."""
    keys = {name: text_keys(rows.texts) for name, rows in examples.items()}
    distinct = np.unique(np.concatenate(list(keys.values())))
    places = np.random.default_rng(seed).random(len(distinct))
    return {name: rows.where(places[np.searchsorted(distinct, keys[name])] < share) for name, rows in examples.items()}


def trained(
    rows: Mapping[str, datasets.Labelled],
    held: Mapping[str, datasets.Labelled],
    folder: Path,
    seed: int,
    teaching: Teaching | None,
) -> TableModel:
    """Train a bag on rows; its calibration is that of the rows held, and is to be done anew by folds."""
    fit(rows, held, folder, Recipe(seed=seed), lambda _: None, teaching=teaching)
    return opened(folder)


def opened(folder: Path) -> TableModel:
    """Open a model that is no cascade."""
    model = load_model(folder)
    if not isinstance(model, TableModel):
        raise EchoPulseError(f"'{model.manifest.name}' is a cascade", "it learns nothing")
    return model


def figure(name: str, share: float, told: str, counts: Sequence[NDArray[np.int64]]) -> Figure:
    """Return a task's metric at a share, a run a seed, with the interval of the seeds' mean counts."""
    metric = datasets.TASKS[name].metric
    low, high = interval(metric, np.rint(np.mean(counts, axis=0)).astype(np.int64))
    return Figure(
        f"{name}, {100 * share:g} % of the rows, {told}",
        tuple(float(METRICS[metric](each)) for each in counts),
        metric,
        f"95 % interval {low:.1f} to {high:.1f}",
    )
