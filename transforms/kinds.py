"""The kinds of analysis: the Arrow type each gives, and the columns of ANALYSED it becomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from schemas.errors import EchoPulseError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

SENTIMENT = pa.struct(
    [
        pa.field("label", pa.string()),
        pa.field("score", pa.int32()),
        pa.field("negative", pa.float64()),
        pa.field("neutral", pa.float64()),
        pa.field("positive", pa.float64()),
        pa.field("model", pa.string()),
    ]
)
TOXICITY = pa.struct(
    [pa.field("probability", pa.float64()), pa.field("toxic", pa.int32()), pa.field("model", pa.string())]
)
ENTITIES = pa.struct([pa.field("names", pa.list_(pa.string())), pa.field("links", pa.list_(pa.string()))])
STANCE = pa.struct([pa.field("targets", pa.list_(pa.string())), pa.field("labels", pa.list_(pa.string()))])


@dataclass(frozen=True)
class Kind:
    """A kind's output type, its value for a text that was not analysed, and which field fills which column of ANALYSED.

    A kind whose output is no struct fills one column, named under the field ''.
    """

    name: str
    type: pa.DataType
    neutral: Any
    columns: Mapping[str, str]

    def split(self, output: pa.Array) -> dict[str, pa.Array]:
        """Return the output's columns by their names in ANALYSED."""
        if not pa.types.is_struct(self.type):
            return {self.columns[""]: output}
        fields = output.flatten()
        return {self.columns[field.name]: fields[index] for index, field in enumerate(self.type)}


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "sentiment",
            SENTIMENT,
            {"label": "unknown", "score": 0, "negative": 0.0, "neutral": 0.0, "positive": 0.0, "model": ""},
            {
                "label": "sentiment",
                "score": "sentiment_score",
                "negative": "score_negative",
                "neutral": "score_neutral",
                "positive": "score_positive",
                "model": "model_sentiment",
            },
        ),
        Kind(
            "toxicity",
            TOXICITY,
            {"probability": 0.0, "toxic": 0, "model": ""},
            {"probability": "toxicity", "toxic": "toxic", "model": "model_toxicity"},
        ),
        Kind("entities", ENTITIES, {"names": [], "links": []}, {"names": "entities", "links": "entity_links"}),
        Kind("stance", STANCE, {"targets": [], "labels": []}, {"targets": "stance_targets", "labels": "stance_labels"}),
        Kind("cluster", pa.string(), "", {"": "cluster"}),
    )
}


def find_kind(name: str) -> Kind:
    """Return a kind by name; raises EchoPulseError naming the nearest one."""
    if name not in KINDS:
        raise EchoPulseError(f"no kind of analysis '{name}'", did_you_mean(name, KINDS))
    return KINDS[name]
