"""Which words are known: those of the model's training, or else those of a stream's first texts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from schemas.errors import EchoPulseError
from transforms.artifact import read_manifest

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

#: The file of an artifact that holds the hashes of its training's words.
WORDS = "words.npy"
#: Words that are kept at most: 8 MB of hashes.
MOST_WORDS = 1_000_000


def write_words(folder: Path, hashes: NDArray[np.uint64]) -> str:
    """Write the words of a training beside its manifest, sorted; return the file's name."""
    np.save(folder / WORDS, np.unique(hashes), allow_pickle=False)
    return WORDS


def read_words(folder: Path) -> NDArray[np.uint64]:
    """Return the sorted words of an artifact's training; raises EchoPulseError where it has none."""
    manifest, _ = read_manifest(folder)
    if WORDS not in manifest.files:
        raise EchoPulseError(
            f"{folder} has no {WORDS}: it was trained before words were kept", "leave drift.reference empty"
        )
    words: NDArray[np.uint64] = np.load(folder / WORDS, allow_pickle=False)
    if words.dtype != np.uint64 or words.ndim != 1:
        raise EchoPulseError(f"{folder / WORDS} holds no hashes of words")
    return words


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
