"""Stance by a model: the fast bag, the transformer, or a cascade of the two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.errors import EchoPulseError, did_you_mean
from transforms.artifact import STANCE as TASKS
from transforms.kinds import STANCE
from transforms.model_strategy import ModelStrategy

if TYPE_CHECKING:
    from transforms.strategy import Context


def named_targets(context: Context) -> tuple[str, ...]:
    """Return the targets of the option `targets`, which commas separate; none where it is not given."""
    return tuple(name.strip() for name in context.options.get("targets", "").split(",") if name.strip())


class BagStance(ModelStrategy):
    """Favor, against or none toward each target: those of the option `targets` (by commas), else all of the model's."""

    kind = "stance"
    name = "bag"
    type = STANCE

    def open(self, context: Context) -> None:
        """Load the artifact; raises EchoPulseError where it was not trained for a target."""
        super().open(context)
        self._targets = self._known(named_targets(context))

    def analyze(self, batch: pa.RecordBatch) -> pa.Array:
        """Score each text toward each target."""
        rows, targets = batch.num_rows, len(self._targets)
        answers = [self._model.answer(TASKS + target, batch) for target in self._targets]
        labels = pa.array(self._model.manifest.task(TASKS + self._targets[0]).labels)
        chosen = np.stack([answer.chosen for answer in answers], axis=1).ravel()
        offsets = pa.array(np.arange(0, rows * targets + 1, targets, dtype=np.int32))
        named = pa.array(self._targets).take(pa.array(np.tile(np.arange(targets), rows)))
        return pa.StructArray.from_arrays(
            [
                pa.ListArray.from_arrays(offsets, named),
                pa.ListArray.from_arrays(offsets, labels.take(pa.array(chosen))),
                _told([answer.models for answer in answers]),
            ],
            fields=list(STANCE),
        )

    def _known(self, named: tuple[str, ...]) -> tuple[str, ...]:
        """Return the targets named, all of the model's where none is; raises EchoPulseError where it lacks one."""
        known = self._model.manifest.stance_targets()
        for target in named:
            if target not in known:
                model = self._model.manifest.name
                raise EchoPulseError(f"model '{model}' knows no stance toward '{target}'", did_you_mean(target, known))
        return named or known

    def _task(self) -> str:
        targets = self._model.manifest.stance_targets()
        if not targets:
            raise EchoPulseError(
                f"model '{self._model.manifest.name}' has no task 'stance'", "train it: echopulse train stance"
            )
        return TASKS + targets[0]


def _told(models: list[pa.StringArray]) -> pa.StringArray:
    """Return what scored a row toward all targets: two joined by a plus where a cascade passed it on for some alone."""
    least, largest = pc.min_element_wise(*models), pc.max_element_wise(*models)
    return pc.if_else(pc.equal(least, largest), least, pc.binary_join_element_wise(least, largest, "+"))


class TransformerStance(BagStance):
    """The same by the transformer that ships, or by another artifact."""

    name = "transformer"
    artifact = "transformer"


class CascadeStance(BagStance):
    """The same by the bag, and by the transformer where the bag is less certain."""

    name = "cascade"
    artifact = "cascade"
