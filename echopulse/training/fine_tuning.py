"""Fine-tune an encoder on a curriculum, and ask it for its scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from echopulse.training.curriculum import batches
from echopulse.training.heads import width
from transforms.normalisation import normalise
from transforms.reading import pieces_text
from transforms.transformer import TOKENIZER, padded, read_tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pyarrow as pa
    from numpy.typing import NDArray

    from echopulse.training.curriculum import Curriculum
    from echopulse.training.heads import Head

_REPORT_STEPS = 100
_ASKED_AT_ONCE = 512


@dataclass(frozen=True)
class Pace:
    """How a network is fine-tuned: passes, peak rates, the share of steps on the way up, texts a step, drop-out."""

    epochs: float = 1.0
    rate: float = 1.5e-4
    head_rate: float = 1e-3
    warm_up: float = 0.06
    batch: int = 64
    weight_decay: float = 0.01
    #: Inside the encoder. It costs a fifth of the time on a CPU and brings nothing in one or two epochs.
    dropout: float = 0.0


class Tuned:
    """A fine-tuned network, which reads texts as its tokeniser cuts them."""

    def __init__(self, base: Path, heads: Sequence[Head], seed: int, dropout: float) -> None:
        from echopulse.training.encoder import Encoder  # noqa: PLC0415 - torch is in the extra `train`

        self._encoder = Encoder(base, width(heads), seed, dropout)
        self._tokenizer = read_tokenizer(base / TOKENIZER)
        self._spans = [(head.columns[0], head.columns[-1] + 1) for head in heads]

    @property
    def net(self) -> Any:  # noqa: ANN401 - torch is not there for mypy
        """The network itself."""
        return self._encoder.net

    def learn(
        self,
        lessons: Curriculum,
        kept: NDArray[np.bool_],
        pace: Pace,
        seed: int,
        progress: Callable[[str], None],
    ) -> None:
        """Learn the rows that are `kept`, in an order that `seed` decides."""
        order = lessons.order(pace.epochs, np.random.default_rng(seed), kept)
        pieces = self._pieces(lessons.lessons.texts)
        lengths = np.array([len(ids) for ids in pieces])
        steps = len(order) // pace.batch
        self._encoder.start(steps, pace.rate, pace.head_rate, pace.warm_up, pace.weight_decay)
        for step, rows in enumerate(batches(order, lengths, pace.batch, np.random.default_rng(seed))):
            ids, mask = padded([pieces[row] for row in rows])
            self._encoder.step(ids, mask, lessons.lessons.wanted[rows], lessons.lessons.weights[rows], self._spans)
            if (step + 1) % _REPORT_STEPS == 0:
                progress(f"step {step + 1:,} of {steps:,}, loss {self._encoder.loss():.3f}")

    def ask(self, texts: pa.StringArray) -> NDArray[np.float32]:
        """Return the scores [texts, columns]."""
        pieces = self._pieces(texts)
        scores = np.zeros((len(pieces), 1 + max(high - 1 for _, high in self._spans)), np.float32)
        by_length = np.argsort([len(ids) for ids in pieces], kind="stable")
        for start in range(0, len(by_length), _ASKED_AT_ONCE):
            rows = by_length[start : start + _ASKED_AT_ONCE]
            scores[rows] = self._encoder.ask(*padded([pieces[row] for row in rows]))
        return scores

    def _pieces(self, texts: pa.StringArray) -> list[list[int]]:
        read = pieces_text(normalise(texts).normalised).to_pylist()
        return [encoding.ids for encoding in self._tokenizer.encode_batch(read)]
