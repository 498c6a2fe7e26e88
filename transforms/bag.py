"""The hashed n-gram bag as a model: one pass over normalised texts gives the scores of all its tasks."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from schemas.errors import EchoPulseError
from transforms.artifact import Hashing, Manifest, read_manifest
from transforms.buffers import string_buffers
from transforms.kernels.bag import MAX_CHARS, MIN_CHARS, ZERO, sum_rows
from transforms.model import TableModel

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

KIND = "bag"
TABLE = "table.npy"
#: What this code computes; an artifact made for another hashing is refused rather than scored wrongly.
CHAR_GRAMS = (MIN_CHARS, MAX_CHARS)
WORD_GRAMS = (1, 2)
NORMALISATION = 2


class Bag(TableModel):
    """A table [buckets, columns] of int8 weights, its manifest and its digest.

    The score of a column is scale · (sum of the weights of a text's grams) / sqrt(number of grams).
    """

    def __init__(self, manifest: Manifest, digest: str, table: NDArray[np.int8]) -> None:
        super().__init__(manifest, digest)
        self._words = (np.ascontiguousarray(table).view(np.uint8) ^ np.uint8(ZERO)).view(np.uint64)
        self._scales = np.array(manifest.scales, np.float32)
        self._shift = np.uint64(64 - int(table.shape[0]).bit_length() + 1)

    def score_distinct(self, texts: pa.StringArray) -> NDArray[np.float32]:
        """Score normalised texts [texts, columns], each of them, whether it repeats or not."""
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
