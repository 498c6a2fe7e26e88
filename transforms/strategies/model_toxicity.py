"""Toxicity by a model: the fast bag, the transformer, or a cascade of the two."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa

from transforms.buffers import constant
from transforms.kinds import TOXICITY
from transforms.model_strategy import ModelStrategy


class BagToxicity(ModelStrategy):
    """The calibrated probability that a text is hateful or offensive, each of both, and whether it passes as toxic.

    A model may know toxicity alone: `hate` and `offensive` are NaN then, and the results leave them out.
    """

    kind = "toxicity"
    name = "bag"
    type = TOXICITY

    def analyze(self, batch: pa.RecordBatch) -> pa.Array:
        """Score each text."""
        answer = self._model.answer("toxicity", batch)
        return pa.StructArray.from_arrays(
            [
                pa.array(np.ascontiguousarray(answer.probabilities[:, 1])),
                pa.array(answer.chosen.astype(np.int32)),
                self._chances("hate", batch),
                self._chances("offensive", batch),
                answer.models,
            ],
            fields=list(TOXICITY),
        )

    def _chances(self, task: str, batch: pa.RecordBatch) -> pa.DoubleArray:
        if task not in self._model.manifest.tasks:
            return constant(math.nan, batch.num_rows, pa.float64())
        return pa.array(np.ascontiguousarray(self._model.answer(task, batch).probabilities[:, 1]))


class TransformerToxicity(BagToxicity):
    """The same by the transformer that ships, or by another artifact."""

    name = "transformer"
    artifact = "transformer"


class CascadeToxicity(BagToxicity):
    """The same by the bag, and by the transformer where the bag is less certain."""

    name = "cascade"
    artifact = "cascade"
