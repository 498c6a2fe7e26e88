"""One way to order a training, whatever the kind of model."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from echopulse.training import bag
from echopulse.training.datasets import chosen_tasks, read_texts
from echopulse.training.distillation import Teaching
from echopulse.training.evaluation import evaluate
from echopulse.training.folds import cross_validate
from echopulse.training.heads import declaration, load_all
from echopulse.training.robustness import robustness
from schemas.errors import EchoPulseError
from transforms.artifact import file_digest, find_artifact
from transforms.loading import load_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from echopulse.training.folds import Examples

    Fit = Callable[[Examples, Examples, Path, dict[str, Any] | None], str]


@dataclass(frozen=True)
class Order:
    """What to train, from what, into which folder; the fields are the options of `echopulse train`."""

    kind: str
    tasks: tuple[str, ...]
    data: Path
    output: Path
    seed: int = 0
    epochs: float | None = None
    teacher: str | None = None
    unlabelled: tuple[Path, ...] = ()
    folds: int = 0
    first: str = "default"
    second: str = "transformer"


def train_model(order: Order, progress: Callable[[str], None]) -> dict[str, Any]:
    """Train as ordered; return the evaluation on the validation rows, and what else was measured, for the card.

    Raises EchoPulseError for an option that the kind has no use for, and whatever reading and training raise.
    """
    crossed = {}
    if order.kind == "cascade":
        _refuse(order, "tasks", "teacher", "unlabelled", "folds", "epochs")
        from echopulse.training.cascade import tune  # noqa: PLC0415 - loads a transformer

        tune(order.data, order.output, progress, order.first, order.second)
    else:
        fit = _transformer(order, progress) if order.kind == "transformer" else _bag(order, progress)
        tasks = chosen_tasks(list(order.tasks))
        if order.folds:
            crossed = cross_validate(
                tasks, order.data, order.folds, lambda rows, held, folder: fit(rows, held, folder, None), progress
            )
        examples, held = (load_all(order.data, tasks, split) for split in ("train", "val"))
        fit(examples, held, order.output, declaration(tasks, order.data))
    progress("evaluating on the validation rows")
    found = evaluate(str(order.output), order.data, "val")
    if order.kind == "bag":
        # The others take a hundred times as long for it; `echopulse evaluate --robustness` measures any model.
        found |= robustness(str(order.output), order.data, "val")
    return found | ({"cross_validation": crossed} if crossed else {})


def _bag(order: Order, progress: Callable[[str], None]) -> Fit:
    recipe = bag.Recipe(seed=order.seed)
    if order.epochs is not None:
        recipe = replace(recipe, epochs=round(order.epochs))
    if order.unlabelled and order.teacher is None:
        raise EchoPulseError("--unlabelled without --teacher", "a teacher labels those texts; name one")
    teaching = None
    if order.teacher is not None:
        texts = pa.concat_arrays([pa.array([], pa.string()), *map(read_texts, order.unlabelled)])
        origin = {path.name: file_digest(path) for path in order.unlabelled}
        teaching = Teaching(load_model(find_artifact(order.teacher)), texts, origin)

    def fit(examples: Examples, held: Examples, output: Path, declared: dict[str, Any] | None) -> str:
        told = None if declared is None else declared | asdict(recipe) | (teaching.declared() if teaching else {})
        return bag.fit(examples, held, output, recipe, progress, teaching=teaching, declared=told)

    return fit


def _transformer(order: Order, progress: Callable[[str], None]) -> Fit:
    _refuse(order, "teacher", "unlabelled")
    from echopulse.training import transformer  # noqa: PLC0415 - torch is in the extra `train`

    recipe = transformer.Recipe(seed=order.seed)
    if order.epochs is not None:
        recipe = replace(recipe, epochs=order.epochs)

    def fit(examples: Examples, held: Examples, output: Path, declared: dict[str, Any] | None) -> str:
        told = None if declared is None else declared | asdict(recipe)
        return transformer.fit(examples, held, output, recipe, progress, declared=told)

    return fit


def _refuse(order: Order, *options: str) -> None:
    for option in options:
        if getattr(order, option):
            raise EchoPulseError(f"a {order.kind} is trained without {option}", "leave it out")
