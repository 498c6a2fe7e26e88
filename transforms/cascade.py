"""A cascade as a model: the fast one answers, the strong one is asked about what the fast one is less certain of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.errors import EchoPulseError
from transforms.decision import certainty
from transforms.model import Answer, Model, TableModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from transforms.artifact import Manifest
    from transforms.shedding import Shedding

KIND = "cascade"
#: Behind the digest of the fast model, where load was shed and the strong one was not asked.
SHED = ":shed"


@dataclass
class _Passed:
    """What the second model said of a batch so far: which rows it has scored, and their scores [rows, columns]."""

    batch: pa.RecordBatch
    rows: NDArray[np.bool_]
    scores: NDArray[np.float32]


class Cascade(Model):
    """Two models and a threshold a task, in the manifest: a row's answer depends on that row alone.

    A row that several tasks pass on is scored by the second model once. `shedding`, where there is one, says whose
    rows are not passed on, by event id and event time.
    """

    def __init__(
        self, manifest: Manifest, digest: str, first: Model, second: TableModel, shedding: Shedding | None = None
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
        self._passed: _Passed | None = None

    def answer(self, task: str, batch: pa.RecordBatch) -> Answer:
        """Answer for one task; rows under the task's threshold are the second model's."""
        quick = self._first.answer(task, batch)
        doubtful = certainty(self._first.manifest.task(task), quick.probabilities) < self._thresholds[task]
        models = quick.models
        if self._shedding is not None:
            shed = doubtful & self._shedding.sheds(batch)
            doubtful &= ~shed
            models = pc.if_else(pa.array(shed), pc.binary_join_element_wise(models, SHED, ""), models)
        if not doubtful.any():
            return Answer(quick.probabilities, quick.chosen, models)
        asked = self._second.probabilities(task, self._pass_on(batch, doubtful))
        probabilities, chosen = quick.probabilities.copy(), quick.chosen.copy()
        probabilities[doubtful], chosen[doubtful] = asked, self._second.decide(task, asked)
        return Answer(probabilities, chosen, pc.if_else(pa.array(doubtful), self._second.digest, models))

    def _pass_on(self, batch: pa.RecordBatch, rows: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Return the second model's scores of the rows marked; those that another task passed on are there already."""
        passed = self._passed
        if passed is None or passed.batch is not batch:
            nothing = self._second.score(batch.column(self._second.reads).slice(0, 0))
            passed = _Passed(
                batch, np.zeros(batch.num_rows, np.bool_), np.empty((batch.num_rows, nothing.shape[1]), np.float32)
            )
            self._passed = passed
        missing = rows & ~passed.rows
        if missing.any():
            passed.scores[missing] = self._second.score(batch.column(self._second.reads).filter(pa.array(missing)))
            passed.rows |= missing
        return passed.scores[rows]
