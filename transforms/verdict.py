"""What one strategy says of a batch: its values, what scored each row, and the languages it abstains from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.buffers import constant
from transforms.scoring import score

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from transforms.kinds import Kind
    from transforms.strategy import Strategy

#: A language that could not be told; such a text is scored.
UNDETERMINED = "und"
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
    """A strategy's values and models for the rows it answered (ascending), and why it failed on the others."""

    values: pa.Array
    models: pa.StringArray
    rows: NDArray[np.int64]
    failures: dict[int, str]


def ask(kind: Kind, strategy: Strategy, texts: TextBatch) -> Verdict:
    """Let a strategy analyse a batch; of a text in a language that it does not know it gives the neutral value.

    `models` says what scored a row: what the strategy itself says, else `strategy:<name>`, or `abstained:<language>`.
    """
    part, places = texts.known_to(strategy)
    scored = score(strategy, part)
    rows = places[scored.rows]
    failures = {int(places[row]): reason for row, reason in scored.failures.items()}
    models = _named(kind.models(scored.values), f"strategy:{strategy.name}", len(rows))
    if len(places) == texts.batch.num_rows:
        return Verdict(scored.values, models, rows, failures)
    abstained = np.setdiff1d(np.arange(texts.batch.num_rows), places, assume_unique=True)
    languages = texts.batch.column("language").take(pa.array(abstained))
    both = np.concatenate([rows, abstained])
    order = pa.array(np.argsort(both))
    return Verdict(
        pa.concat_arrays([scored.values, pa.array([kind.neutral] * len(abstained), kind.type)]).take(order),
        pa.concat_arrays([models, pc.binary_join_element_wise(ABSTAINED, languages, "")]).take(order),
        np.sort(both),
        failures,
    )


def _named(models: pa.StringArray | None, strategy: str, rows: int) -> pa.StringArray:
    if models is None:
        return constant(strategy, rows, pa.string())
    nameless = pc.equal(models, "")
    return pc.if_else(nameless, strategy, models) if pc.any(nameless).as_py() else models
