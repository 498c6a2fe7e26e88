"""Which words are known: those of the model's training, or else those of a stream's first texts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Words that are kept at most: 8 MB of hashes.
MOST_WORDS = 1_000_000


@dataclass
class KnownWords:
    """Learns the words of the first `learn` texts; given `hashes` (sorted), there is nothing left to learn."""

    learn: int
    hashes: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    texts: int = 0

    @property
    def known(self) -> NDArray[np.uint64] | None:
        """The sorted hashes of known words, None while they are learnt."""
        return self.hashes if self.texts >= self.learn else None

    def add(self, hashes: NDArray[np.uint64], texts: int) -> None:
        """Learn the words of so many further texts; nothing once enough were seen."""
        if self.texts >= self.learn:
            return
        self.hashes = np.union1d(self.hashes, hashes)[:MOST_WORDS]
        self.texts += texts
