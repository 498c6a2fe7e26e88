"""Sentiment by the hashed n-gram bag."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from transforms.bag import Bag, load_bag
from transforms.buffers import constant
from transforms.kinds import SENTIMENT
from transforms.strategy import Context, Strategy


class BagSentiment(Strategy):
    """Negative, neutral or positive, with their probabilities."""

    kind = "sentiment"
    name = "bag"
    type = SENTIMENT

    _bag: Bag

    def open(self, context: Context) -> None:
        """Load the artifact, shared with the other tasks it serves."""
        self._bag = load_bag(context.artifact)
        task = self._bag.manifest.task("sentiment")
        self._labels, self.languages = pa.array(task.labels), task.languages

    def analyze(self, batch: pa.RecordBatch) -> pa.Array:
        """Score each text; the three probabilities add up to 1."""
        probabilities = self._bag.probabilities("sentiment", self._bag.score_batch(batch))
        chosen = self._bag.decide("sentiment", probabilities)
        columns = np.ascontiguousarray(probabilities.T)
        return pa.StructArray.from_arrays(
            [
                self._labels.take(pa.array(chosen)),
                pa.array((chosen - 1).astype(np.int32)),
                *(pa.array(column) for column in columns),
                constant(self._bag.digest, batch.num_rows, pa.string()),
            ],
            fields=list(SENTIMENT),
        )
