"""Near-duplicates: texts equal but for digits, punctuation, links, mentions and stretched letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from transforms.strategy import Strategy

if TYPE_CHECKING:
    from typing import ClassVar


class NearDuplicate(Strategy):
    """A signature that copies of one text share; grouping by it is the job of whoever counts them."""

    kind: ClassVar[str] = "cluster"
    name: ClassVar[str] = "signature"
    type = pa.string()

    def analyze(self, batch: pa.RecordBatch) -> pa.Array:
        """Return the signature that normalisation computed, '' for a text without letters."""
        return batch.column("signature")
