"""What an artifact must be before anything else is asked of it: whole, of our labels, and giving numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from echopulse.tracking.model_run import task_names
from echopulse.training.datasets import TASKS
from schemas.errors import EchoPulseError, did_you_mean
from transforms.artifact import MANIFEST, SHIPPED, read_manifest, shipped
from transforms.loading import load_model
from transforms.model import question

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from transforms.artifact import Manifest, Task
    from transforms.model import Model

#: Texts of every sort that has broken a model somewhere.
_TEXTS = (
    "",
    " ",
    "good morning",
    "I hate this so much",
    "😀😀😀",
    "ß" * 3_000,
    "안녕하세요",
    "\u0000\u202e",
    "a b " * 2_000,
)
_SUM_IS_ONE = 1e-6


def probe(folder: Path, expected: str | None = None) -> Model:
    """Open an artifact and ask it about a few texts.

    Raises EchoPulseError, in one line, where it is not whole, has another digest than expected, labels or inputs that
    are not ours, or gives anything but probabilities.
    """
    manifest, digest = read_manifest(folder)
    if expected is not None and digest != expected:
        raise EchoPulseError(f"{folder} is {digest}, not {expected}", "nothing was changed")
    _check_labels(manifest)
    _check_stages(manifest)
    try:
        model = load_model(folder)
        batch = question(pa.array(_TEXTS, pa.string()))
        answers = {name: model.answer(name, batch).probabilities for name in manifest.tasks}
    except EchoPulseError:
        raise
    except Exception as error:  # whatever runs the artifact raises what it likes
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise EchoPulseError(f"model '{manifest.name}' cannot score: {reason}") from error
    for name, chances in answers.items():
        _check_numbers(manifest, name, manifest.tasks[name], chances)
    return model


def _check_labels(manifest: Manifest) -> None:
    known = {name: TASKS[name].labels for name in TASKS}
    for head, task in manifest.tasks.items():
        (name,) = task_names({head: task})
        if name not in known:
            raise EchoPulseError(f"model '{manifest.name}' has a task '{head}'", did_you_mean(name, known))
        if tuple(task.labels) != known[name]:
            raise EchoPulseError(
                f"model '{manifest.name}' has other labels for {head}: {', '.join(task.labels)}",
                f"wanted, in this order: {', '.join(known[name])}",
            )


def _check_stages(manifest: Manifest) -> None:
    """Refuse a cascade of models that are not in every installation: its artifact does not hold them."""
    if manifest.cascade is None:
        return
    for name in (manifest.cascade.first, manifest.cascade.second):
        if not (SHIPPED / name / MANIFEST).is_file():
            raise EchoPulseError(
                f"cascade '{manifest.name}' asks '{name}', which other machines do not have",
                f"those that ship: {', '.join(shipped())}",
            )


def _check_numbers(manifest: Manifest, name: str, task: Task, chances: NDArray[np.float64]) -> None:
    if chances.shape != (len(_TEXTS), len(task.labels)):
        raise EchoPulseError(f"model '{manifest.name}' gives {chances.shape[1]} numbers a text for {name}")
    if not np.isfinite(chances).all():
        raise EchoPulseError(f"model '{manifest.name}' gives scores that are not numbers for {name}")
    if (chances < 0).any() or np.abs(chances.sum(axis=1) - 1).max() > _SUM_IS_ONE:
        raise EchoPulseError(f"model '{manifest.name}' gives no probabilities for {name}")


def tasks_of(manifest: Manifest) -> Mapping[str, Task]:
    """Return the tasks of a manifest by the names under which models are registered, stance toward all as one."""
    return {task_names({head: task})[0]: task for head, task in manifest.tasks.items()}
