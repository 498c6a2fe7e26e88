"""A cascade as a model: the fast one answers, the strong one is asked about what the fast one is less certain of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.errors import EchoPulseError
from transforms.decision import certainty
from transforms.model import Answer, Model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from transforms.artifact import Manifest
    from transforms.shedding import Shedding

KIND = "cascade"
#: Behind the digest of the fast model, where load was shed and the strong one was not asked.
SHED = ":shed"


@dataclass(frozen=True)
class _Parted:
    """A batch with the rows that the second model answers for, and those that it would but for shedding."""

    batch: pa.RecordBatch
    passed_on: NDArray[np.bool_]
    shed: NDArray[np.bool_]
    rest: pa.RecordBatch


class Cascade(Model):
    """Two models and a threshold a task, in the manifest: a row's answer depends on that row alone.

    A row of which the first model is too uncertain in any task is the second's in all tasks: it is read once.
    `shedding`, where there is one, says whose rows are not passed on, by event id and event time.
    """

    def __init__(
        self, manifest: Manifest, digest: str, first: Model, second: Model, shedding: Shedding | None = None
    ) -> None:
        super().__init__(manifest, digest)
        if manifest.cascade is None:
            raise EchoPulseError(f"model '{manifest.name}' is a cascade without stages")
        for stage, expected in ((first, manifest.cascade.first_digest), (second, manifest.cascade.second_digest)):
            if stage.digest != expected:
                raise EchoPulseError(
                    f"cascade '{manifest.name}' was tuned for {expected}, not for {stage.digest} "
                    f"('{stage.manifest.name}')",
                    "tune it again: echopulse train --kind cascade",
                )
        self._first, self._second = first, second
        self._thresholds = manifest.cascade.thresholds
        self._shedding = shedding
        self._last: _Parted | None = None

    def answer(self, task: str, batch: pa.RecordBatch) -> Answer:
        """Answer for one task; raises EchoPulseError where the cascade lacks it."""
        self.manifest.task(task)
        quick = self._first.answer(task, batch)
        parted = self._part(batch)
        shed, passed_on = pa.array(parted.shed), pa.array(parted.passed_on)
        models = quick.models
        if parted.shed.any():
            models = pc.if_else(shed, pc.binary_join_element_wise(models, SHED, ""), models)
        if not parted.passed_on.any():
            return Answer(quick.probabilities, quick.chosen, models)
        asked = self._second.answer(task, parted.rest)
        probabilities, chosen = quick.probabilities.copy(), quick.chosen.copy()
        probabilities[parted.passed_on], chosen[parted.passed_on] = asked.probabilities, asked.chosen
        return Answer(probabilities, chosen, pc.replace_with_mask(models, passed_on, asked.models))

    def _part(self, batch: pa.RecordBatch) -> _Parted:
        """Say which rows of a batch are passed on, once for all tasks."""
        last = self._last
        if last is None or last.batch is not batch:
            passed_on = doubtful(self._first, self._thresholds, batch)
            shed = np.zeros(batch.num_rows, np.bool_)
            if self._shedding is not None:
                shed = passed_on & self._shedding.sheds(batch)
                passed_on &= ~shed
            last = _Parted(batch, passed_on, shed, batch.filter(pa.array(passed_on)))
            self._last = last
        return last


def doubtful(model: Model, thresholds: Mapping[str, float], batch: pa.RecordBatch) -> NDArray[np.bool_]:
    """Say of each row whether the model is less certain than the threshold in any of the tasks (log-odds)."""
    rows = np.zeros(batch.num_rows, np.bool_)
    for task, threshold in thresholds.items():
        rows |= certainty(model.manifest.task(task), model.answer(task, batch).probabilities) < threshold
    return rows
