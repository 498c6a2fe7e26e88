"""A model that was asked once: its scores of some texts are kept, and it may decide by another manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.errors import EchoPulseError
from transforms.model import TableModel, question

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from transforms.artifact import Manifest

_BATCH = 2_000


class Remembered(TableModel):
    """A model's scores of the texts that it was asked about; about others it raises EchoPulseError."""

    def __init__(
        self, manifest: Manifest, digest: str, reads: str, texts: pa.StringArray, scores: NDArray[np.float32]
    ) -> None:
        super().__init__(manifest, digest)
        self.reads = reads
        self._texts, self._scores = texts, scores

    def score_distinct(self, texts: pa.StringArray) -> NDArray[np.float32]:
        """Return the scores kept [texts, columns]."""
        places = pc.index_in(texts, value_set=self._texts)
        if places.null_count:
            raise EchoPulseError(f"'{self.manifest.name}' was not asked about {places.null_count:,} of the texts")
        kept: NDArray[np.float32] = self._scores[places.to_numpy()]
        return kept

    def by(self, manifest: Manifest) -> Remembered:
        """Return the same scores, from which another manifest tells probabilities and labels."""
        return Remembered(manifest, self.digest, self.reads, self._texts, self._scores)


def remembered(model: TableModel, parts: Iterable[pa.StringArray], progress: Callable[[str], None]) -> Remembered:
    """Ask a model about texts as they were written, each distinct one once, and keep what it said."""
    written = pc.unique(pa.concat_arrays([pa.array([], pa.string()), *parts]))
    read = pc.unique(question(written).column(model.reads))
    progress(f"asking {model.manifest.name} about {len(read):,} texts")
    scores = []
    for start in range(0, len(read), _BATCH):
        scores.append(model.score_distinct(read.slice(start, _BATCH)))
        if start and start % (10 * _BATCH) == 0:
            progress(f"{start:,} of {len(read):,}")
    return Remembered(model.manifest, model.digest, model.reads, read, np.concatenate(scores))
