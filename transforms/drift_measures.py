"""What is watched for drift: numbers of each event, each with the grid that its distribution is kept on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.verdict import ABSTAINED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

#: Edges of the bins of probabilities and shares, of what lies between -1 and 1, and of counts, which grow as powers do.
SHARES = tuple(np.linspace(0.05, 0.95, 19).round(2).tolist())
BALANCES = tuple(np.linspace(-0.9, 0.9, 19).round(1).tolist())
COUNTS = (0.5, 1.5, 2.5, 3.5, 4.5, 6.5, 8.5, 12.5, 16.5, 24.5, 32.5, 48.5, 64.5, 96.5, 128.5, 256.5)
#: Languages that are told apart; all others share the last bin.
LANGUAGES = (
    *("en", "es", "pt", "de", "fr", "it", "nl", "pl", "ru", "uk", "tr", "ar", "hi", "id", "ja", "ko", "zh", "und"),
)
_LANGUAGE_EDGES = tuple(place + 0.5 for place in range(len(LANGUAGES)))
_FALSE_AND_TRUE = (0.5,)


@dataclass(frozen=True)
class Measure:
    """One number of an event: its task, which a drift is told under, the edges of the bins that count it, its range.

    What lies beyond the range is taken for its end. `ordered` says whether a mean of it means something.
    """

    task: str
    edges: tuple[float, ...]
    low: float = 0.0
    high: float = 1.0
    ordered: bool = True


#: By name. The first five are of texts; `unknown_words` is the share of a text's words that are not known.
TEXT_MEASURES: dict[str, Measure] = {
    "unknown_words": Measure("vocabulary", SHARES),
    "words": Measure("text", COUNTS, high=256),
    "characters": Measure("text", COUNTS, high=256),
    "emoji": Measure("text", COUNTS, high=256),
    "repetition": Measure("text", SHARES),
}
#: Of results: what the models say. `balance` is the probability of positive less that of negative.
RESULT_MEASURES: dict[str, Measure] = {
    "balance": Measure("sentiment", BALANCES, low=-1),
    "toxicity": Measure("toxicity", SHARES),
    "hate": Measure("toxicity", SHARES),
    "offensive": Measure("toxicity", SHARES),
    "abstained": Measure("sentiment", _FALSE_AND_TRUE),
    "language": Measure("language", _LANGUAGE_EDGES, high=len(LANGUAGES), ordered=False),
}
MEASURES = TEXT_MEASURES | RESULT_MEASURES


@dataclass(frozen=True)
class Observed:
    """Events as drift sees them, in the order they came: who is spoken to, when (ms UTC), and measures, NaN for none.

    `models` is, by task, the digest of the model that scored a row, '' where none did.
    """

    channels: pa.StringArray
    sources: pa.StringArray
    ts_ms: NDArray[np.int64]
    values: Mapping[str, NDArray[np.float64]]
    models: Mapping[str, pa.StringArray]


def observed_results(rows: pa.RecordBatch) -> Observed:
    """Observe results: columns of schemas.arrow.ANALYSED and `ts`; events without a text have no measures."""
    spoke = pc.not_equal(rows.column("model_sentiment"), "").to_numpy(zero_copy_only=False)
    abstained = pc.starts_with(rows.column("model_sentiment"), ABSTAINED).to_numpy(zero_copy_only=False)
    toxic = pc.not_equal(rows.column("model_toxicity"), "").to_numpy(zero_copy_only=False)
    toxic &= ~pc.starts_with(rows.column("model_toxicity"), ABSTAINED).to_numpy(zero_copy_only=False)
    languages = pc.fill_null(pc.index_in(rows.column("language"), pa.array(LANGUAGES)), len(LANGUAGES))
    values = {
        "balance": _where(spoke & ~abstained, _floats(rows, "score_positive") - _floats(rows, "score_negative")),
        "toxicity": _where(toxic, _floats(rows, "toxicity")),
        "hate": _where(toxic, _floats(rows, "score_hate")),
        "offensive": _where(toxic, _floats(rows, "score_offensive")),
        "abstained": _where(spoke, abstained.astype(np.float64)),
        "language": _where(spoke, languages.to_numpy().astype(np.float64)),
    }
    # An abstention's name is no model's: those rows would begin a series of their own.
    models = {
        "sentiment": pc.if_else(pa.array(abstained), "", rows.column("model_sentiment")),
        "toxicity": pc.if_else(pa.array(toxic), rows.column("model_toxicity"), ""),
    }
    return Observed(
        rows.column("channel_id"),
        rows.column("source"),
        rows.column("ts").cast(pa.int64()).to_numpy(),
        values,
        models,
    )


def _where(holds: NDArray[np.bool_], values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(holds, values, np.nan)


def _floats(rows: pa.RecordBatch, name: str) -> NDArray[np.float64]:
    found: NDArray[np.float64] = pc.fill_null(rows.column(name), np.nan).to_numpy(zero_copy_only=False)
    return found
