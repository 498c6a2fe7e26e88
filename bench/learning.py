"""How the bag gains from more labelled rows, with the transformer as its teacher and without.

The share is drawn by text, so that a text is learnt from in all its tasks or in none, and a larger share of a seed
holds the smaller one. A tenth of what is drawn calibrates. The validation rows are only asked about.
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
from echopulse.training.evaluation import Asked
from echopulse.training.folds import CALIBRATING, text_keys
from echopulse.training.heads import load_all
from echopulse.training.metrics import METRICS, interval
from echopulse.training.remembered import remembered
from schemas.errors import EchoPulseError
from transforms.artifact import find_artifact
from transforms.loading import load_model
from transforms.model import TableModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from transforms.model import Model

NAME = "learning"
SHARES = (0.125, 0.25, 0.5, 1.0)
_SEEDS = (0, 1, 2)
LEARNT = ["sentiment", "toxicity", "stance"]
SHOWN = ("sentiment", "offensive", "hate", "stance")
_ALONE, _TAUGHT = "labels alone", "with a teacher"


def measure(data: Path, folder: Path) -> Section:
    """Train bags into `folder` on shares of the labelled files in `data`, and ask them about the validation rows."""
    step("the bag on more and more rows")
    tasks = datasets.chosen_tasks(LEARNT)
    examples, held = (load_all(data, tasks, split) for split in ("train", "val"))
    strong = load_model(find_artifact("transformer"))
    if not isinstance(strong, TableModel):
        raise EchoPulseError(f"'{strong.manifest.name}' is no teacher: it is a {strong.manifest.kind}")
    teacher = remembered(strong, [rows.texts for rows in examples.values()], step)
    figures: list[Figure] = []
    for told, taught in ((_ALONE, None), (_TAUGHT, Teaching(teacher, pa.array([], pa.string()), {}))):
        for share in SHARES:
            step(f"{100 * share:g} % of the rows, {told}")
            counts = [
                said(trained(drawn(examples, share, seed), folder / f"{told}-{share}-{seed}", seed, taught), held)
                for seed in _SEEDS
            ]
            figures += [figure(name, share, told, [each[name] for each in counts]) for name in SHOWN]
    rows = ", ".join(f"{name} {len(examples[name].labels):,}" for name in SHOWN)
    return Section(
        NAME,
        "The bag on more and more labelled rows (`learning`)",
        f"Trained for {', '.join(tasks)} at once; in all {rows} training rows. {len(_SEEDS)} seeds: of the draw, of "
        "which drawn tenth calibrates, and of the order of the rows. In percent, on the validation rows, which neither "
        "training nor calibration saw.",
        tuple(figures),
        (
            (
                "the teacher is the shipped transformer, which learnt from all training rows and whose calibration was "
                "fitted on the validation rows; it is asked about the drawn texts alone, without the unlabelled ones "
                "that the shipped default learnt from as well"
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


def trained(rows: Mapping[str, datasets.Labelled], folder: Path, seed: int, teaching: Teaching | None) -> Model:
    """Train a bag, calibrated on a tenth of the rows that it does not learn from."""
    learnt, calibrating = parted(rows, seed)
    fit(learnt, calibrating, folder, Recipe(seed=seed), lambda _: None, teaching=teaching)
    return load_model(folder)


def parted(
    rows: Mapping[str, datasets.Labelled], seed: int
) -> tuple[dict[str, datasets.Labelled], dict[str, datasets.Labelled]]:
    """Part rows into those to learn from and a tenth that calibrates, by text; which tenth, the seed says."""
    calibrates = {name: (text_keys(part.texts) + seed) % CALIBRATING == 0 for name, part in rows.items()}
    learnt = {name: part.where(~calibrates[name]) for name, part in rows.items()}
    return learnt, {name: part.where(calibrates[name]) for name, part in rows.items()}


def said(model: Model, held: Mapping[str, datasets.Labelled]) -> dict[str, NDArray[np.int64]]:
    """Return the model's confusion counts on the rows of each task that is shown."""
    return {name: Asked(model, name, held[name]).counts for name in SHOWN}


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
