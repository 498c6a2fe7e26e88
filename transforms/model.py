"""What scores texts for several tasks at once: the contract of bags, transformers and cascades of the two."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from transforms import decision
from transforms.buffers import constant
from transforms.normalisation import normalise

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from transforms.artifact import Manifest


@dataclass(frozen=True)
class Answer:
    """What a model says of a batch for one task: probabilities [rows, labels], labels chosen, and who said it.

    `models` is the digest of the artifact that scored each row.
    """

    probabilities: NDArray[np.float64]
    chosen: NDArray[np.int64]
    models: pa.StringArray


class Model(ABC):
    """An artifact that scores: its manifest and its digest, `sha256:` and 64 hex digits."""

    def __init__(self, manifest: Manifest, digest: str) -> None:
        self.manifest = manifest
        self.digest = digest

    @abstractmethod
    def answer(self, task: str, batch: pa.RecordBatch) -> Answer:
        """Answer for one task; the batch has the columns of `question`, and `id` of TEXTS where load is shed."""


def question(texts: pa.StringArray) -> pa.RecordBatch:
    """Return texts as any model may be asked about them: the columns `text` and `normalised` of TEXTS."""
    made = normalise(texts)
    return pa.RecordBatch.from_arrays([made.composed, made.normalised], names=["text", "normalised"])


class TableModel(Model):
    """A model whose one pass over a text gives the scores of all its tasks; `reads` is the column of TEXTS it reads."""

    reads: str = "normalised"

    def __init__(self, manifest: Manifest, digest: str) -> None:
        super().__init__(manifest, digest)
        self._last: tuple[pa.RecordBatch, NDArray[np.float32]] | None = None

    @abstractmethod
    def score_distinct(self, texts: pa.StringArray) -> NDArray[np.float32]:
        """Score texts of the column it reads [texts, columns], each of them, whether it repeats or not."""

    def score(self, texts: pa.StringArray) -> NDArray[np.float32]:
        """Score texts of the column it reads [texts, columns]; a text that repeats is scored once."""
        encoded = pc.dictionary_encode(texts)
        if len(encoded.dictionary) == len(texts):
            return self.score_distinct(texts)
        scores: NDArray[np.float32] = self.score_distinct(encoded.dictionary)[encoded.indices.to_numpy()]
        return scores

    def score_batch(self, batch: pa.RecordBatch) -> NDArray[np.float32]:
        """Score the column it reads of a batch once, however many tasks ask."""
        last = self._last
        if last is None or last[0] is not batch:
            last = (batch, self.score(batch.column(self.reads)))
            self._last = last
        return last[1]

    def probabilities(self, task: str, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """Turn scores into probabilities [texts, labels] of a task; raises EchoPulseError where the model lacks it."""
        return decision.probabilities(self.manifest.task(task), scores)

    def decide(self, task: str, probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
        """Choose a label (its index) for each row of probabilities."""
        return decision.decide(self.manifest.task(task), probabilities)

    def answer(self, task: str, batch: pa.RecordBatch) -> Answer:
        """Answer for one task, all rows from this artifact."""
        probabilities = self.probabilities(task, self.score_batch(batch))
        return Answer(
            probabilities, self.decide(task, probabilities), constant(self.digest, batch.num_rows, pa.string())
        )
