"""What one strategy says of a batch: its values, what scored each row, and the languages it abstains from."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.buffers import constant
from transforms.languages.codes import UNDETERMINED
from transforms.scoring import score

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from transforms.kinds import Kind
    from transforms.strategy import Strategy

ABSTAINED = "abstained:"


class TextBatch:
    """A batch in schema TEXTS and, made once each, its parts in the languages that strategies know."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self.batch = batch
        self._parts: dict[tuple[str, ...], tuple[pa.RecordBatch, NDArray[np.int64]]] = {}

    def known_to(self, strategy: Strategy) -> tuple[pa.RecordBatch, NDArray[np.int64]]:
        """Return the texts that a strategy can read, and their places in the batch."""
        if strategy.languages is None:
            return self.batch, np.arange(self.batch.num_rows)
        languages = (UNDETERMINED, *strategy.languages)
        if languages not in self._parts:
            known = pc.is_in(self.batch.column("language"), pa.array(languages)).to_numpy(zero_copy_only=False)
            part = self.batch if known.all() else self.batch.filter(pa.array(known))
            self._parts[languages] = part, np.flatnonzero(known)
        return self._parts[languages]


@dataclass(frozen=True)
class Verdict:
    """A strategy's values and what scored them, for the rows it scored (ascending); why it failed on others.

    `abstained` are the rows in a language it does not know (ascending), each with its `abstentions`: their value is
    the kind's neutral one.
    """

    values: pa.Array
    models: pa.StringArray
    rows: NDArray[np.int64]
    abstained: NDArray[np.int64]
    abstentions: pa.StringArray
    failures: dict[int, str]
    #: The time that it took, for each text that it was given.
    microseconds: float = 0.0

    def whole(self, kind: Kind) -> tuple[pa.Array, pa.StringArray, NDArray[np.int64]]:
        """Return values, models and rows (ascending) of all it scored or abstained from."""
        if not len(self.abstained):
            return self.values, self.models, self.rows
        rows = np.concatenate([self.rows, self.abstained])
        order = np.argsort(rows)
        neutral = pa.array([kind.neutral] * len(self.abstained), kind.type)
        return (
            pa.concat_arrays([self.values, neutral]).take(pa.array(order)),
            pa.concat_arrays([self.models, self.abstentions]).take(pa.array(order)),
            rows[order],
        )


def ask(kind: Kind, strategy: Strategy, texts: TextBatch) -> Verdict:
    """Let a strategy analyse the texts of a batch in the languages that it knows.

    `models` says what scored a row: what the strategy itself says, else `strategy:<name>`; of a row that it abstains
    from, `abstained:<language>`.
    """
    part, places = texts.known_to(strategy)
    began = time.perf_counter()
    scored = score(strategy, part)
    seconds = time.perf_counter() - began
    if len(places) == texts.batch.num_rows:
        abstained = np.zeros(0, np.int64)
    else:
        abstained = np.setdiff1d(np.arange(texts.batch.num_rows), places, assume_unique=True)
    languages = texts.batch.column("language").take(pa.array(abstained))
    return Verdict(
        values=scored.values,
        models=_named(kind.models(scored.values), f"strategy:{strategy.name}", len(scored.rows)),
        rows=places[scored.rows],
        abstained=abstained,
        abstentions=pc.binary_join_element_wise(ABSTAINED, languages, ""),
        failures={int(places[row]): reason for row, reason in scored.failures.items()},
        microseconds=1e6 * seconds / max(part.num_rows, 1),
    )


def _named(models: pa.StringArray | None, strategy: str, rows: int) -> pa.StringArray:
    if models is None:
        return constant(strategy, rows, pa.string())
    nameless = pc.equal(models, "")
    return pc.if_else(nameless, strategy, models) if pc.any(nameless).as_py() else models
