"""Sentiment by a model: the fast bag, the transformer, or a cascade of the two."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from transforms.kinds import SENTIMENT
from transforms.model_strategy import ModelStrategy


class BagSentiment(ModelStrategy):
    """Negative, neutral or positive, with their probabilities, by the hashed n-gram bag."""

    kind = "sentiment"
    name = "bag"
    type = SENTIMENT

    def analyze(self, batch: pa.RecordBatch) -> pa.Array:
        """Score each text; the three probabilities add up to 1."""
        answer = self._model.answer("sentiment", batch)
        labels = pa.array(self._model.manifest.task("sentiment").labels)
        columns = np.ascontiguousarray(answer.probabilities.T)
        return pa.StructArray.from_arrays(
            [
                labels.take(pa.array(answer.chosen)),
                pa.array((answer.chosen - 1).astype(np.int32)),
                *(pa.array(column) for column in columns),
                answer.models,
            ],
            fields=list(SENTIMENT),
        )


class TransformerSentiment(BagSentiment):
    """The same by the transformer that ships, or by another artifact."""

    name = "transformer"
    artifact = "transformer"


class CascadeSentiment(BagSentiment):
    """The same by the bag, and by the transformer where the bag is less certain."""

    name = "cascade"
    artifact = "cascade"
