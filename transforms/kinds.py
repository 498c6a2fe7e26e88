"""The kinds of analysis: the Arrow type each gives, and the columns of ANALYSED it becomes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from schemas.errors import MISSPELT, EchoPulseError, did_you_mean, near

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
    [
        pa.field("probability", pa.float64()),
        pa.field("toxic", pa.int32()),
        pa.field("hate", pa.float64()),
        pa.field("offensive", pa.float64()),
        pa.field("model", pa.string()),
    ]
)
ENTITIES = pa.struct(
    [
        pa.field("names", pa.list_(pa.string())),
        pa.field("links", pa.list_(pa.string())),
        pa.field("scores", pa.list_(pa.float64())),
    ]
)
STANCE = pa.struct(
    [
        pa.field("targets", pa.list_(pa.string())),
        pa.field("labels", pa.list_(pa.string())),
        pa.field("model", pa.string()),
    ]
)

#: The field of a kind's struct that says what scored a row; a kind without it is scored by `strategy:<name>`.
MODEL = "model"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_NEUTRAL = {pa.float64(): 0.0, pa.int32(): 0, pa.bool_(): False, pa.string(): ""}
#: `scores` of a result has these names already.
_SCORES = ("negative", "neutral", "positive", "hate", "offensive")


@dataclass(frozen=True)
class Kind:
    """A kind's output type, its value for a text that was not analysed, and which field fills which column of ANALYSED.

    A kind whose output is no struct fills one column, named under the field ''. A kind without columns is a user's own:
    its numbers and texts go to `other_scores` and `other_labels`.
    """

    name: str
    type: pa.DataType
    neutral: Any
    columns: Mapping[str, str] = field(default_factory=dict)

    def split(self, output: pa.Array) -> dict[str, pa.Array]:
        """Return the output's columns: by their names in ANALYSED, or `kind` and `kind.field` of a user's own kind.

        The field `model` is not among them.
        """
        if not pa.types.is_struct(self.type):
            return {self.columns.get("", self.name): output}
        fields = output.flatten()
        return {
            self.columns.get(part.name, f"{self.name}.{part.name}"): fields[index]
            for index, part in enumerate(self.type)
            if part.name != MODEL
        }

    def models(self, output: pa.Array) -> pa.StringArray | None:
        """Return what scored each row of the output, None where this kind does not say."""
        if not pa.types.is_struct(self.type):
            return None
        place = self.type.get_field_index(MODEL)
        return None if place < 0 else output.flatten()[place]


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
            },
        ),
        Kind(
            "toxicity",
            TOXICITY,
            {"probability": 0.0, "toxic": 0, "hate": 0.0, "offensive": 0.0, "model": ""},
            {
                "probability": "toxicity",
                "toxic": "toxic",
                "hate": "score_hate",
                "offensive": "score_offensive",
            },
        ),
        Kind(
            "entities",
            ENTITIES,
            {"names": [], "links": [], "scores": []},
            {"names": "entities", "links": "entity_links", "scores": "entity_scores"},
        ),
        Kind(
            "stance",
            STANCE,
            {"targets": [], "labels": [], "model": ""},
            {"targets": "stance_targets", "labels": "stance_labels"},
        ),
        Kind("cluster", pa.string(), "", {"": "cluster"}),
    )
}


def declared_kind(name: str, type_: pa.DataType) -> Kind:
    """Return the kind of a strategy that declares this name and type: a known one, or one of the user's own.

    Raises EchoPulseError where a known kind has another type, or a new one a name or a type that cannot be.
    """
    if name in KINDS:
        if type_ != KINDS[name].type:
            raise EchoPulseError(f"type is {type_}, {name} gives {KINDS[name].type}")
        return KINDS[name]
    if near(name, KINDS, MISSPELT):
        raise EchoPulseError(f"no kind of analysis '{name}'", did_you_mean(name, KINDS))
    if not _NAME.fullmatch(name) or name in _SCORES:
        taken = ", ".join(_SCORES)
        raise EchoPulseError(f"no kind can be named '{name}'", f"a-z, 0-9 and _, a letter first, and none of {taken}")
    return Kind(name, type_, _neutral(name, type_))


def _neutral(kind: str, type_: pa.DataType) -> Any:  # noqa: ANN401 - any value of the type
    allowed = ", ".join(str(known) for known in _NEUTRAL)
    if type_ in _NEUTRAL:
        return _NEUTRAL[type_]
    if not pa.types.is_struct(type_) or not type_.num_fields:
        raise EchoPulseError(f"{kind} cannot give {type_}", f"one of {allowed}, or a struct of these")
    for part in type_:
        if part.type not in _NEUTRAL:
            raise EchoPulseError(f"{kind}.{part.name} cannot be {part.type}", f"one of {allowed}")
        if part.name == MODEL and part.type != pa.string():
            raise EchoPulseError(f"{kind}.{MODEL} is {part.type}, not string", "it says what scored the row")
    return {part.name: _NEUTRAL[part.type] for part in type_}
