"""A sample of entities that depends on a seed alone: those whose keyed hashes are least, of however many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence


class EntitySample:
    """The `count` entities of the least hashes among all that were added; the same whatever the order and repeats.

    Every entity has the same chance. Memory is that of the sample and of one addition.
    """

    def __init__(self, names: Sequence[str], count: int, seed: int) -> None:
        """Sample values of the columns `names`."""
        self._names, self._count = list(names), count
        self._key = f"{seed % 10**16:016}"  # pandas' hash is keyed by sixteen bytes
        self._kept = pd.Series([], dtype=np.uint64, index=pd.MultiIndex.from_arrays([[] for _ in names]))

    def add(self, entities: pd.DataFrame) -> None:
        """Add entities, a row each, with the columns of the sample."""
        distinct = entities[self._names].drop_duplicates(ignore_index=True)
        if distinct.empty:
            return
        hashes = pd.util.hash_pandas_object(distinct, index=False, hash_key=self._key, categorize=False)
        added = pd.Series(hashes.to_numpy(), index=pd.MultiIndex.from_frame(distinct))
        both = pd.concat([self._kept, added]) if len(self._kept) else added
        both = both[~both.index.duplicated()]
        self._kept = both.sort_values(kind="stable").iloc[: self._count]

    def entities(self) -> list[tuple[object, ...]]:
        """Return the sample, least hash first."""
        return [tuple(entity) for entity in self._kept.index.to_list()]
