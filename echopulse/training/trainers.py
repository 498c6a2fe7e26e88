"""One way to order a training, whatever the kind of model."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from echopulse.training import bag
from echopulse.training.datasets import TASKS, chosen_tasks, load, read_texts
from echopulse.training.distillation import Teaching
from echopulse.training.evaluation import evaluate
from echopulse.training.folds import cross_validate
from echopulse.training.heads import declaration, load_all
from echopulse.training.robustness import robustness
from schemas.errors import EchoPulseError
from transforms.artifact import file_digest, find_artifact, read_manifest, write_manifest
from transforms.drift_texts import word_hashes
from transforms.drift_words import write_words
from transforms.loading import load_model
from transforms.normalisation import normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from echopulse.training.evaluation import Asked
    from echopulse.training.folds import Examples, Fold
    from transforms.model import Model

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
    first: str | None = None
    second: str | None = None
    #: Of a bag: fields of its recipe that differ from the usual ones, as a search finds them.
    recipe: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Observer:
    """What a training shows while it goes on: each epoch's metrics, and each task's answers on the validation rows."""

    epoch: bag.Watch | None = None
    answers: Callable[[str, Asked], None] | None = None


def train_model(order: Order, progress: Callable[[str], None], observer: Observer | None = None) -> dict[str, Any]:
    """Train as ordered; return the evaluation on the validation rows, and what else was measured, for the card.

    Raises EchoPulseError for an option that the kind has no use for, and whatever reading and training raise.
    """
    shown = observer or Observer()
    found = _cascade(order, progress) if order.kind == "cascade" else _table_model(order, progress, shown)
    progress("evaluating on the validation rows")
    found = evaluate(str(order.output), order.data, "val", shown.answers) | found
    if order.kind == "bag":
        # The others take a hundred times as long for it; `echopulse evaluate --robustness` measures any model.
        found |= robustness(str(order.output), order.data, "val")
    return found


def _table_model(order: Order, progress: Callable[[str], None], shown: Observer) -> dict[str, Any]:
    """Train a bag or a transformer; return its cross-validation where one was ordered."""
    _refuse(order, "first", "second")
    if order.folds and order.teacher is not None:
        raise EchoPulseError(
            "--folds with --teacher: the teacher may have learnt what a fold asks about",
            "train --kind cascade --folds trains a teacher of its own for each fold",
        )
    fit = _transformer(order, progress) if order.kind == "transformer" else _bag(order, progress, shown.epoch)
    tasks = chosen_tasks(list(order.tasks))
    crossed = {}
    if order.folds:

        def fitted(fold: Fold) -> dict[str, Model]:
            fit(fold.learnt, fold.calibrating, fold.folder, None)
            return {order.kind: load_model(fold.folder)}

        crossed = {"cross_validation": cross_validate(tasks, order.data, order.folds, fitted, progress)}
    examples, held = (load_all(order.data, tasks, split) for split in ("train", "val"))
    fit(examples, held, order.output, declaration(tasks, order.data))
    _keep_words(order.output, examples)
    return crossed


def _keep_words(folder: Path, examples: Examples) -> None:
    """Write the words of the training texts into the artifact, so that drift can tell which words it never saw."""
    hashes = [word_hashes(normalise(rows.texts).normalised)[0] for rows in examples.values()]
    name = write_words(folder, np.concatenate(hashes))
    manifest, _ = read_manifest(folder)
    write_manifest(folder, manifest.model_copy(update={"files": manifest.files | {name: file_digest(folder / name)}}))


def _cascade(order: Order, progress: Callable[[str], None]) -> dict[str, Any]:
    """Tune a cascade of the models named, else the shipped two; return the cross-validation of its like if ordered.

    Of models that are named the tuning alone is cross-validated; else each fold trains models of its own.
    """
    named = order.first is not None or order.second is not None
    _refuse(order, "tasks", "teacher", "epochs", *([] if order.folds and not named else ["unlabelled"]))
    from echopulse.training.cascade import tune  # noqa: PLC0415 - loads a transformer

    held = {name: rows for name in TASKS if (rows := load(order.data, name, "val")) is not None}
    first, second = order.first or "default", order.second or "transformer"
    tune(held, order.output, progress, first, second)
    if order.folds and named:
        from echopulse.training.tuning_folds import cross_validate_tuning  # noqa: PLC0415 - as above

        models = {name: load_model(find_artifact(name)) for name in (first, second)}
        return {"tuning_cross_validation": cross_validate_tuning(held, order.folds, models, progress)}
    return {"cross_validation": cross_validate_cascade(order, progress)} if order.folds else {}


def cross_validate_cascade(order: Order, progress: Callable[[str], None]) -> dict[str, dict[str, Any]]:
    """Return the metrics of a bag, a transformer and a cascade, as `cross_validate` does, over all tasks.

    For each fold a transformer is trained, a bag learns from it, on the unlabelled texts too, and a cascade of the two
    is tuned.
    """
    from echopulse.training.cascade import tune  # noqa: PLC0415 - loads a transformer

    fit_strong, recipe, texts = _transformer(order, progress), bag.Recipe(seed=order.seed), _unlabelled(order)

    def fitted(fold: Fold) -> Mapping[str, Model]:
        fast, strong, both = (fold.folder / name for name in ("bag", "transformer", "cascade"))
        fit_strong(fold.learnt, fold.calibrating, strong, None)
        asked = pa.concat_arrays([rows.texts for rows in fold.asked.values()])
        teaching = Teaching(load_model(strong), texts.filter(pc.invert(pc.is_in(texts, asked))), {})
        bag.fit(fold.learnt, fold.calibrating, fast, recipe, progress, teaching=teaching)
        tune(fold.calibrating, both, progress, str(fast), str(strong))
        return {folder.name: load_model(folder) for folder in (fast, strong, both)}

    return cross_validate(list(TASKS), order.data, order.folds, fitted, progress)


def _unlabelled(order: Order) -> pa.StringArray:
    return pa.concat_arrays([pa.array([], pa.string()), *map(read_texts, order.unlabelled)])


def _bag(order: Order, progress: Callable[[str], None], watch: bag.Watch | None) -> Fit:
    recipe = replace(bag.Recipe(seed=order.seed), **order.recipe)
    if order.epochs is not None:
        recipe = replace(recipe, epochs=round(order.epochs))
    if order.unlabelled and order.teacher is None:
        raise EchoPulseError("--unlabelled without --teacher", "a teacher labels those texts; name one")
    teaching = None
    if order.teacher is not None:
        origin = {path.name: file_digest(path) for path in order.unlabelled}
        teaching = Teaching(load_model(find_artifact(order.teacher)), _unlabelled(order), origin)

    def fit(examples: Examples, held: Examples, output: Path, declared: dict[str, Any] | None) -> str:
        told = None if declared is None else declared | asdict(recipe) | (teaching.declared() if teaching else {})
        # A fold declares nothing, and its epochs are not those of the model that comes out.
        watched = None if declared is None else watch
        return bag.fit(examples, held, output, recipe, progress, teaching=teaching, declared=told, watch=watched)

    return fit


def _transformer(order: Order, progress: Callable[[str], None]) -> Fit:
    if order.kind == "transformer":
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
