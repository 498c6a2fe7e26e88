"""The hashed n-gram bag as a model: one pass over normalised texts gives the scores of all its tasks."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.errors import EchoPulseError
from transforms.artifact import Hashing, Manifest, read_manifest
from transforms.buffers import string_buffers
from transforms.kernels.bag import MAX_CHARS, MIN_CHARS, ZERO, sum_rows

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

KIND = "bag"
TABLE = "table.npy"
#: What this code computes; an artifact made for another hashing is refused rather than scored wrongly.
CHAR_GRAMS = (MIN_CHARS, MAX_CHARS)
WORD_GRAMS = (1, 2)
NORMALISATION = 1


class Bag:
    """A table [buckets, columns] of int8 weights, its manifest and its digest.

    The score of a column is scale · (sum of the weights of a text's grams) / sqrt(number of grams).
    """

    def __init__(self, manifest: Manifest, digest: str, table: NDArray[np.int8]) -> None:
        self.manifest = manifest
        self.digest = digest
        self._words = (np.ascontiguousarray(table).view(np.uint8) ^ np.uint8(ZERO)).view(np.uint64)
        self._scales = np.array(manifest.scales, np.float32)
        self._shift = np.uint64(64 - int(table.shape[0]).bit_length() + 1)
        self._last: tuple[pa.RecordBatch, NDArray[np.float32]] | None = None

    def score(self, texts: pa.StringArray) -> NDArray[np.float32]:
        """Score normalised texts [texts, columns]; a text that repeats is scored once."""
        encoded = pc.dictionary_encode(texts)
        if len(encoded.dictionary) == len(texts):
            return self._score(texts)
        scores: NDArray[np.float32] = self._score(encoded.dictionary)[encoded.indices.to_numpy()]
        return scores

    def score_batch(self, batch: pa.RecordBatch) -> NDArray[np.float32]:
        """Score the column `normalised` of a batch once, however many tasks ask."""
        last = self._last
        if last is None or last[0] is not batch:
            last = (batch, self.score(batch.column("normalised")))
            self._last = last
        return last[1]

    def probabilities(self, task: str, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """Turn scores into probabilities [texts, labels] of a task, by its link."""
        declared = self.manifest.task(task)
        margins = scores[:, declared.columns] * np.float64(declared.slope) + np.array(declared.offsets)
        if declared.link == "sigmoid":
            positive = np.exp(-np.logaddexp(0.0, -margins))
            both: NDArray[np.float64] = np.concatenate([1.0 - positive, positive], axis=1)
            return both
        margins -= margins.max(axis=1, keepdims=True)
        exponentials: NDArray[np.float64] = np.exp(margins)
        return np.divide(exponentials, exponentials.sum(axis=1, keepdims=True), dtype=np.float64)

    def decide(self, task: str, probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
        """Choose a label (its index) for each row of probabilities."""
        declared = self.manifest.task(task)
        if declared.link == "sigmoid":
            return (probabilities[:, 1] >= declared.threshold).astype(np.int64)
        largest: NDArray[np.int64] = probabilities.argmax(axis=1)
        return largest

    def _score(self, texts: pa.StringArray) -> NDArray[np.float32]:
        values, offsets = string_buffers(texts)
        sums = np.empty((len(texts), len(self._scales)), np.int32)
        counts = np.empty(len(texts), np.int32)
        sum_rows(values, offsets, self._shift, self._words, sums, counts)
        scores: NDArray[np.float32] = sums * self._scales
        scores /= np.sqrt(np.maximum(counts, 1), dtype=np.float32)[:, None]
        return scores


@cache
def load_bag(folder: Path) -> Bag:
    """Load a bag from its folder, once a process; raises EchoPulseError where it is not one this code can score."""
    manifest, digest = read_manifest(folder)
    if manifest.kind != KIND or manifest.hashing is None:
        raise EchoPulseError(f"{folder} is a model of kind '{manifest.kind}', not '{KIND}'")
    expected = Hashing(
        bits=manifest.hashing.bits, char_grams=CHAR_GRAMS, word_grams=WORD_GRAMS, normalisation=NORMALISATION
    )
    if manifest.hashing != expected:
        raise EchoPulseError(f"{folder} was made for other n-grams or another normalisation", "train it again")
    table = np.load(folder / TABLE, allow_pickle=False)
    if table.dtype != np.int8 or table.shape != (1 << manifest.hashing.bits, len(manifest.scales)):
        raise EchoPulseError(f"{folder / TABLE} holds {table.dtype} {table.shape}, not what its manifest says")
    return Bag(manifest, digest, table)
