"""What trains a bag or a transformer on some rows, as an order says."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from echopulse.training import bag
from echopulse.training.datasets import read_texts
from echopulse.training.distillation import Teaching, as_read
from echopulse.training.fine_tuning import Pace
from echopulse.training.order import Order, refuse
from echopulse.training.teachers import Teachers
from schemas.errors import EchoPulseError
from transforms.artifact import file_digest, find_artifact
from transforms.loading import load_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from echopulse.training.folds import Examples

    #: Trains on rows, calibrates on others, writes into a folder what is declared; the last texts teach nothing.
    Fit = Callable[[Examples, Examples, Path, dict[str, Any] | None, pa.StringArray], str]

#: Each is asked about what another learnt.
_LEAST_TEACHERS = 2


def unlabelled_texts(order: Order) -> pa.StringArray:
    """Return the texts of the files that an order names."""
    return pa.concat_arrays([pa.array([], pa.string()), *map(read_texts, order.unlabelled)])


def but(texts: pa.StringArray, barred: pa.StringArray) -> pa.StringArray:
    """Return those of the texts that are not barred, however either is written down."""
    return texts.filter(pc.invert(pc.is_in(as_read(texts), as_read(barred))))


def _origin(order: Order) -> dict[str, str]:
    return {path.name: file_digest(path) for path in order.unlabelled}


def bag_fit(order: Order, progress: Callable[[str], None], watch: bag.Watch | None) -> Fit:
    """Return what trains a bag as ordered; raises EchoPulseError for options that a bag has no use for."""
    refuse(order, "teachers", "teacher_base")
    recipe = replace(bag.Recipe(seed=order.seed), **order.recipe)
    if order.epochs is not None:
        recipe = replace(recipe, epochs=round(order.epochs))
    if order.unlabelled and order.teacher is None:
        raise EchoPulseError("--unlabelled without --teacher", "a teacher labels those texts; name one")
    teaching = None
    if order.teacher is not None:
        teaching = Teaching(load_model(find_artifact(order.teacher)), unlabelled_texts(order), _origin(order))

    def fit(
        examples: Examples, held: Examples, output: Path, declared: dict[str, Any] | None, barred: pa.StringArray
    ) -> str:
        del barred  # a teacher is refused beside folds, and without one nothing but the rows is learnt
        told = None if declared is None else declared | asdict(recipe) | (teaching.declared() if teaching else {})
        # A fold declares nothing, and its epochs are not those of the model that comes out.
        watched = None if declared is None else watch
        return bag.fit(examples, held, output, recipe, progress, teaching=teaching, declared=told, watch=watched)

    return fit


def transformer_fit(order: Order, progress: Callable[[str], None]) -> Fit:
    """Return what fine-tunes a transformer as ordered; raises EchoPulseError as `bag_fit`, or for lack of weights."""
    if order.kind == "transformer":
        refuse(order, "teacher")
        if order.unlabelled and not order.teachers:
            raise EchoPulseError(
                "--unlabelled without --teachers", "they label those texts: --teachers 3 --teacher-base …"
            )
    from echopulse.training import transformer  # noqa: PLC0415 - torch is in the extra `train`

    teachers = _teachers(order, progress)
    recipe = transformer.Recipe(seed=order.seed, pace=transformer.TAUGHT if teachers else Pace())
    if order.epochs is not None:
        recipe = replace(recipe, pace=replace(recipe.pace, epochs=order.epochs))

    def fit(
        examples: Examples, held: Examples, output: Path, declared: dict[str, Any] | None, barred: pa.StringArray
    ) -> str:
        told = None
        if declared is not None:
            told = declared | recipe.declared() | (teachers.declared() if teachers else {})
        asked = replace(teachers, texts=but(teachers.texts, barred)) if teachers else None
        return transformer.fit(examples, held, output, recipe, progress, teachers=asked, declared=told)

    return fit


def _teachers(order: Order, progress: Callable[[str], None]) -> Teachers | None:
    """Return the teachers that are ordered; raises EchoPulseError where their weights are not there."""
    if not order.teachers and order.teacher_base is None:
        return None
    if order.teacher_base is None:
        raise EchoPulseError(
            "--teachers without --teacher-base", "the weights that they start from: a folder, or OWNER/NAME"
        )
    if order.teachers < _LEAST_TEACHERS:
        raise EchoPulseError(f"--teachers {order.teachers}", "each is asked about what another learnt: 2 or more")
    from echopulse.training.hub import find_checkpoint  # noqa: PLC0415 - the library of the hub loads for a second

    source = find_checkpoint(order.teacher_base, progress)
    named = {"name": source.name, "revision": source.revision, **source.declared()["origin"]}
    return Teachers(source.folder, order.teachers, unlabelled_texts(order), _origin(order), named)
