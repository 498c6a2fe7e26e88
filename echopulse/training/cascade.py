"""Tune a cascade: for each task the threshold under which the strong model is asked, from validation rows."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from echopulse.training import datasets
from echopulse.training.evaluation import Asked
from schemas.errors import EchoPulseError
from transforms.artifact import SHIPPED, STANCE, Manifest, Stages, find_artifact, write_manifest
from transforms.cascade import KIND
from transforms.decision import certainty
from transforms.loading import load_model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from transforms.model import Model

#: Of a task's validation rows, the share that the strong model is asked about: a third of all at most, more where it
#: knows more, by the curve of `python -m bench asking` (docs/models.md).
ASKED_SHARES = {"sentiment": 0.33, "offensive": 0.2, "hate": 0.35, "toxicity": 0.15, "stance": 0.45}


def tune(
    held: Mapping[str, datasets.Labelled],
    output: Path,
    progress: Callable[[str], None],
    first: str = "default",
    second: str = "transformer",
) -> str:
    """Write a cascade of two models, by name or folder, into `output`; return its digest.

    Each threshold is the quantile, by ASKED_SHARES, of the first model's certainty on the rows of the task in `held`;
    the targets of one task share it. The manifest names a folder by the way from its own. Raises EchoPulseError where
    the two share no task that there are rows of.
    """
    fast, strong = (load_model(find_artifact(name)) for name in (first, second))
    thresholds: dict[str, float] = {}
    for name, rows in held.items():
        shared = shared_heads(fast, strong, name)
        if not shared:
            continue
        progress(f"tuning {name}")
        declared = fast.manifest.task(shared[0])
        sure = certainty(declared, Asked(fast, name, rows).chances)
        thresholds |= dict.fromkeys(shared, threshold(sure, ASKED_SHARES[name]))
    if not thresholds:
        raise EchoPulseError(f"no validation rows of a task that {first} and {second} share")
    output.mkdir(parents=True, exist_ok=True)
    manifest = Manifest(
        kind=KIND,
        name=output.resolve().name,
        tasks={head: fast.manifest.tasks[head] for head in thresholds},
        files={},
        cascade=Stages(
            first=_from(output, first),
            first_digest=fast.digest,
            second=_from(output, second),
            second_digest=strong.digest,
            thresholds=thresholds,
        ),
    )
    return write_manifest(output, manifest)


def shared_heads(first: Model, second: Model, task: str) -> list[str]:
    """Return the heads of a task, one for each target where it has them, that both models have."""
    by_target = datasets.TASKS[task].by_target
    return [
        head
        for head in first.manifest.tasks
        if head in second.manifest.tasks and (head.startswith(STANCE) if by_target else head == task)
    ]


def threshold(sure: NDArray[np.float64], share: float) -> float:
    """Return the certainty below which a share of a task's rows is, for the strong model to be asked about."""
    return round(float(np.quantile(sure, share)), 4)


def _from(output: Path, model: str) -> str:
    folder = find_artifact(model)
    return model if folder.parent == SHIPPED else os.path.relpath(folder.resolve(), output.resolve())
