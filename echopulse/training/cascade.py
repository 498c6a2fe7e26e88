"""Tune a cascade: for each task the threshold under which the strong model is asked, from validation rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from echopulse.training import datasets
from schemas.errors import EchoPulseError
from transforms.artifact import STANCE, Manifest, Stages, find_artifact, write_manifest
from transforms.cascade import KIND
from transforms.decision import certainty
from transforms.loading import load_model
from transforms.normalisation import normalise

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from transforms.model import Model

#: The share of texts that the strong model is asked about, so that a cascade costs less than a third of it.
ASKED_SHARE = 0.27
_HALVINGS = 40


def tune(
    data: Path, output: Path, progress: Callable[[str], None], first: str = "default", second: str = "transformer"
) -> str:
    """Write a cascade of two models into `output`; return its digest.

    A task's threshold is a fraction of the first model's median certainty of the task's own validation rows; the
    fraction, the same in all tasks, is such that of all tasks' rows ASKED_SHARE are doubtful in some task. The targets
    of a task have one threshold. Raises EchoPulseError where the two share no task that the folder has rows of.
    """
    fast, strong = (load_model(find_artifact(name)) for name in (first, second))
    held: dict[str, datasets.Labelled] = {}
    heads: dict[str, list[str]] = {}
    for name, task in datasets.TASKS.items():
        heads[name] = [
            head
            for head in fast.manifest.tasks
            if head in strong.manifest.tasks and (head.startswith(STANCE) if task.by_target else head == name)
        ]
        rows = datasets.load(data, name, "val") if heads[name] else None
        if rows is not None:
            held[name] = rows
    if not held:
        raise EchoPulseError(f"{data} has no validation rows of a task that {first} and {second} share")
    progress(f"tuning {', '.join(held)}")
    thresholds = _thresholds(fast, held, heads)
    output.mkdir(parents=True, exist_ok=True)
    manifest = Manifest(
        kind=KIND,
        name=output.resolve().name,
        tasks={head: fast.manifest.tasks[head] for head in thresholds},
        files={},
        cascade=Stages(
            first=first,
            first_digest=fast.digest,
            second=second,
            second_digest=strong.digest,
            thresholds=thresholds,
        ),
    )
    return write_manifest(output, manifest)


def _thresholds(fast: Model, held: dict[str, datasets.Labelled], heads: dict[str, list[str]]) -> dict[str, float]:
    texts = pc.unique(pa.concat_arrays([part.texts for part in held.values()]))
    batch = pa.RecordBatch.from_arrays([normalise(texts).normalised], names=["normalised"])
    sure = {
        head: certainty(fast.manifest.task(head), fast.answer(head, batch).probabilities)
        for name in held
        for head in heads[name]
    }
    typical = {
        head: float(np.median(_own(sure, part, texts, heads[name])))
        for name, part in held.items()
        for head in heads[name]
    }

    def at(fraction: float) -> dict[str, float]:
        return {head: round(fraction * certain, 4) for head, certain in typical.items()}

    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        asked = np.any([sure[head] < threshold for head, threshold in at(middle).items()], axis=0).mean()
        low, high = (middle, high) if asked < ASKED_SHARE else (low, middle)
    return at(low)


def _own(
    sure: dict[str, NDArray[np.float64]],
    part: datasets.Labelled,
    texts: pa.StringArray,
    heads: list[str],
) -> NDArray[np.float64]:
    """Return the certainty of a task's own rows, each in the head of its target."""
    places = pc.index_in(part.texts, value_set=texts).to_numpy()
    certain = np.zeros(len(places))
    if part.targets is None:
        certain[:] = sure[heads[0]][places]
        return certain
    for head in heads:
        rows = pc.equal(part.targets, head.removeprefix(STANCE)).to_numpy(zero_copy_only=False)
        certain[rows] = sure[head][places[rows]]
    return certain
