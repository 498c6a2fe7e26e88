"""One way to order a training, whatever the kind of model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from echopulse.training import bag
from echopulse.training.datasets import TASKS, chosen_tasks, load
from echopulse.training.distillation import Teaching
from echopulse.training.evaluation import evaluate
from echopulse.training.fitting import bag_fit, but, transformer_fit, unlabelled_texts
from echopulse.training.folds import cross_validate
from echopulse.training.heads import declaration, load_all
from echopulse.training.order import Observer, Order, refuse
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

    from echopulse.training.folds import Examples, Fold
    from transforms.model import Model


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
    refuse(order, "first", "second")
    if order.folds and order.teacher is not None:
        raise EchoPulseError(
            "--folds with --teacher: the teacher may have learnt what a fold asks about",
            "train --kind cascade --folds trains a teacher of its own for each fold",
        )
    fit = transformer_fit(order, progress) if order.kind == "transformer" else bag_fit(order, progress, shown.epoch)
    tasks = chosen_tasks(list(order.tasks))
    crossed = {}
    if order.folds:

        def fitted(fold: Fold) -> dict[str, Model]:
            fit(fold.learnt, fold.calibrating, fold.folder, None, fold.asked_texts)
            return {order.kind: load_model(fold.folder)}

        crossed = {"cross_validation": cross_validate(tasks, order.data, order.folds, fitted, progress)}
    examples, held = (load_all(order.data, tasks, split) for split in ("train", "val"))
    fit(examples, held, order.output, declaration(tasks, order.data), pa.array([], pa.string()))
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
    of_folds = () if order.folds and not named else ("unlabelled", "teachers", "teacher_base")
    refuse(order, "tasks", "teacher", "epochs", *of_folds)
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

    fit_strong, recipe, texts = transformer_fit(order, progress), bag.Recipe(seed=order.seed), unlabelled_texts(order)

    def fitted(fold: Fold) -> Mapping[str, Model]:
        fast, strong, both = (fold.folder / name for name in ("bag", "transformer", "cascade"))
        fit_strong(fold.learnt, fold.calibrating, strong, None, fold.asked_texts)
        teaching = Teaching(load_model(strong), but(texts, fold.asked_texts), {})
        bag.fit(fold.learnt, fold.calibrating, fast, recipe, progress, teaching=teaching)
        tune(fold.calibrating, both, progress, str(fast), str(strong))
        return {folder.name: load_model(folder) for folder in (fast, strong, both)}

    return cross_validate(list(TASKS), order.data, order.folds, fitted, progress)
