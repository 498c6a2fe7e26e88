"""Strategies in shadow, side by side with the active one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from schemas.arrow import SHADOWED
from schemas.avro import decode_shadow
from schemas.avro_columns import encode_shadow
from transforms.analysis import Analyser
from transforms.kinds import ENTITIES, SENTIMENT, STANCE, TOXICITY, declared_kind
from transforms.shadow import summary

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Encode = Callable[..., tuple[pa.BinaryArray, pa.Int64Array]]

_OWN = """
import pyarrow as pa
from transforms.strategy import Strategy

class Upper(Strategy):
    kind, name, type, languages = "cluster", "upper", pa.string(), ("en",)

    def analyze(self, batch):
        texts = batch["text"].to_pylist()
        if "bad" in texts:
            raise ValueError("a bad one")
        return pa.array([text.upper() for text in texts], pa.string())
"""


@pytest.mark.parametrize(
    ("name", "type_", "value", "label", "score"),
    [
        (
            "sentiment",
            SENTIMENT,
            {"label": "positive", "score": 1, "negative": 0.1, "neutral": 0.2, "positive": 0.7, "model": "m"},
            "positive",
            0.7,
        ),
        (
            "toxicity",
            TOXICITY,
            {"probability": 0.3, "toxic": 0, "hate": 0.0, "offensive": 0.0, "model": "m"},
            "not_toxic",
            0.3,
        ),
        (
            "entities",
            ENTITIES,
            {"names": ["A", "b", "c"], "links": ["x:1", "", "y:2"], "scores": [1, 0, 1]},
            "x:1  y:2",
            3,
        ),
        (
            "stance",
            STANCE,
            {"targets": ["t", "u"], "labels": ["none", "favor"], "model": "m"},
            "t=none u=favor",
            1,
        ),
        ("cluster", pa.string(), "abc", "abc", 0),
        ("spam", pa.float64(), 0.25, "", 0.25),
        (
            "mood",
            pa.struct([("model", pa.string()), ("b", pa.bool_()), ("s", pa.string())]),
            {"model": "m", "b": True, "s": "dry"},
            "dry",
            1,
        ),
    ],
)
def test_summaries(name: str, type_: pa.DataType, value: object, label: str, score: float) -> None:
    """Each kind in one label and one score; a slice is summed up as itself."""
    kind = declared_kind(name, type_)
    values = pa.array([kind.neutral, value, kind.neutral], type_)
    for part in (values, values[1:2]):
        labels, scores = summary(kind, part)
        row = 1 if len(part) > 1 else 0
        assert (labels[row].as_py(), scores[row].as_py()) == (label, score)


def test_beside_the_active_one(encode: Encode, tmp_path: Path) -> None:
    """Every scored text has a row; what fails or abstains says so, and harms neither the event nor the others."""
    (tmp_path / "upper.py").write_text(_OWN)
    analyser = Analyser({}, [tmp_path], shadow={"cluster": ["upper"]})
    analyser.open()

    def text(words: str, **more: str) -> dict[str, Any]:
        return {"metadata": [("text", words), *more.items()]}

    values, times = encode(
        text("one"), text("bad"), {"id": ""}, text("vier", language="de"), {"metadata": [("kind", "join")]}, text("two")
    )
    analysis = analyser.analysis(values, times)
    assert analysis.rows.column("stage").to_pylist() == ["", "", "validate", "", "", ""]
    assert analysis.shadow.schema == SHADOWED
    rows = analysis.shadow.to_pylist()
    assert [(row["row"], row["model"], row["label"]) for row in rows] == [
        (0, "strategy:upper", "ONE"),
        (1, "failed: cluster by 'upper': ValueError: a bad one", ""),
        (3, "abstained:de", ""),
        (5, "strategy:upper", "TWO"),
    ]
    clusters = analysis.rows.column("cluster").to_pylist()
    assert [row["active_label"] for row in rows] == [clusters[row["row"]] for row in rows]
    lists = encode_shadow(analysis.rows, analysis.shadow, times)
    assert [len(datums) for datums in lists.to_pylist()] == [1, 1, 0, 1, 0, 1]
    datum = decode_shadow(lists[5].as_py()[0])
    assert (datum["event_id"], datum["channel_id"], datum["label"], datum["strategy"]) == ("e5", "c", "TWO", "upper")
    assert round(datum["ts"].timestamp() * 1000) == times[5].as_py()
    assert (datum["microseconds"], datum["active_microseconds"]) == (
        rows[3]["microseconds"],
        rows[3]["active_microseconds"],
    )
    assert datum["microseconds"] > 0


def test_without_shadow(analyser: Analyser, encode: Encode) -> None:
    """Nothing is said."""
    assert analyser.analysis(*encode({})).shadow.num_rows == 0
