"""Toxicity by the hashed n-gram bag."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from transforms.bag import Bag, load_bag
from transforms.buffers import constant
from transforms.kinds import TOXICITY
from transforms.strategy import Context, Strategy


class BagToxicity(Strategy):
    """The calibrated probability that a text is hateful or offensive, and whether it passes the model's threshold."""

    kind = "toxicity"
    name = "bag"
    type = TOXICITY

    _bag: Bag

    def open(self, context: Context) -> None:
        """Load the artifact, shared with the other tasks it serves."""
        self._bag = load_bag(context.artifact)
        self.languages = self._bag.manifest.task("toxicity").languages

    def analyze(self, batch: pa.RecordBatch) -> pa.Array:
        """Score each text."""
        scores = self._bag.score_batch(batch)
        probabilities = self._bag.probabilities("toxicity", scores)
        beside = [self._bag.probabilities(task, scores)[:, 1] for task in ("hate", "offensive")]
        return pa.StructArray.from_arrays(
            [
                pa.array(np.ascontiguousarray(probabilities[:, 1])),
                pa.array(self._bag.decide("toxicity", probabilities).astype(np.int32)),
                *(pa.array(np.ascontiguousarray(column)) for column in beside),
                constant(self._bag.digest, batch.num_rows, pa.string()),
            ],
            fields=list(TOXICITY),
        )
