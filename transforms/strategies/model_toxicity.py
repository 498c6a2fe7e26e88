"""Toxicity by a model: the fast bag, the transformer, or a cascade of the two."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from transforms.kinds import TOXICITY
from transforms.model_strategy import ModelStrategy


class BagToxicity(ModelStrategy):
    """The calibrated probability that a text is hateful or offensive, each of both, and whether it passes as toxic."""

    kind = "toxicity"
    name = "bag"
    type = TOXICITY

    def analyze(self, batch: pa.RecordBatch) -> pa.Array:
        """Score each text."""
        answer = self._model.answer("toxicity", batch)
        chances = [answer, *(self._model.answer(task, batch) for task in ("hate", "offensive"))]
        toxic, hate, offensive = (np.ascontiguousarray(said.probabilities[:, 1]) for said in chances)
        return pa.StructArray.from_arrays(
            [
                pa.array(toxic),
                pa.array(answer.chosen.astype(np.int32)),
                pa.array(hate),
                pa.array(offensive),
                answer.models,
            ],
            fields=list(TOXICITY),
        )


class TransformerToxicity(BagToxicity):
    """The same by the transformer that ships, or by another artifact."""

    name = "transformer"
    artifact = "transformer"


class CascadeToxicity(BagToxicity):
    """The same by the bag, and by the transformer where the bag is less certain."""

    name = "cascade"
    artifact = "cascade"
