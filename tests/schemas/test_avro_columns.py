from __future__ import annotations

import io
import math
from typing import Any

import fastavro
import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from schemas.arrow import ANALYSED
from schemas.avro import schema
from schemas.avro_columns import encode_analysis, varints

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=70)
_NUMBER = st.floats(allow_nan=False)
_PAIRS = st.lists(st.tuples(_TEXT, _TEXT), max_size=3, unique_by=lambda pair: pair[0])
_DICT_KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).map("own.{}".format)
_DIGEST = st.sampled_from(["", "sha256:aa", "sha256:bb"])
_KINDS = ("sentiment", "toxicity", "stance", "entities", "cluster")
_SCORES = ("negative", "neutral", "positive", "hate", "offensive")
_ROWS = st.fixed_dictionaries(
    {
        "event_id": _TEXT,
        "sentiment": _TEXT,
        "toxicity": _NUMBER,
        "entities": st.lists(_TEXT, max_size=3),
        "entity_links": st.lists(st.tuples(_TEXT, _NUMBER), max_size=3),
        "cluster": _TEXT,
        "stance": _PAIRS,
        **{f"model_{kind}": _DIGEST for kind in _KINDS},
        "other_scores": st.dictionaries(_DICT_KEYS, _NUMBER, max_size=2),
        "other_labels": st.dictionaries(_DICT_KEYS, _TEXT, max_size=2),
        "other_models": st.dictionaries(_DICT_KEYS, _TEXT, max_size=2),
        "kind": _TEXT,
        "target": _TEXT,
        "language": _TEXT,
        "channel_id": _TEXT,
        "user_id": _TEXT,
        "source": _TEXT,
        **{f"score_{name}": _NUMBER | st.just(math.nan) for name in _SCORES},
        "ts": st.integers(-(2**62), 2**62),
    }
)


def _batch(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    filled = [
        {
            **row,
            "stance_targets": [target for target, _ in row["stance"]],
            "stance_labels": [label for _, label in row["stance"]],
            "entity_links": [link for link, _ in row["entity_links"]],
            "entity_scores": [score for _, score in row["entity_links"]],
        }
        for row in rows
    ]
    return pa.RecordBatch.from_pylist(filled, schema=ANALYSED)


def _by_fastavro(row: dict[str, Any]) -> bytes:
    record = {
        **row,
        "stance": dict(row["stance"]),
        "entity_links": [{"id": link, "score": score} for link, score in row["entity_links"]],
        "models": {kind: row[f"model_{kind}"] for kind in _KINDS if row[f"model_{kind}"]} | row["other_models"],
        "scores": {name: row[f"score_{name}"] for name in _SCORES if not math.isnan(row[f"score_{name}"])}
        | row["other_scores"],
        "labels": row["other_labels"],
    }
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, schema("analysis_result"), record)
    return buffer.getvalue()


@given(st.lists(_ROWS, max_size=5))
def test_bytes_are_those_of_fastavro(rows: list[dict[str, Any]]) -> None:
    """A batch encoded by columns is the rows encoded one by one; a score that nobody said is left out."""
    times = pa.array([row["ts"] for row in rows], pa.int64())
    assert encode_analysis(_batch(rows), times).to_pylist() == [_by_fastavro(row) for row in rows]


def test_a_slice_encodes_as_itself() -> None:
    """Offsets of a slice do not leak into the bytes."""
    rows = [
        {
            "event_id": str(n),
            "entities": ["a", "b"][: n % 3],
            "entity_links": [("id", 0.5)][: n % 2],
            "stance": [],
            "ts": n,
            "other_scores": {"own": float(n)} if n % 3 else {},
            "other_labels": {"own": str(n)} if n % 2 else {},
            "other_models": {},
        }
        for n in range(6)
    ]
    empty = {
        field.name: "" if field.type == pa.string() else 0 for field in ANALYSED if not pa.types.is_nested(field.type)
    }
    batch = _batch([{**empty, **row} for row in rows])
    times = pa.array([row["ts"] for row in rows], pa.int64())
    assert encode_analysis(batch[2:5], times[2:5]).equals(encode_analysis(batch, times)[2:5])


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20))
def test_varints_are_those_of_the_specification(values: list[int]) -> None:
    """Every 64-bit integer is encoded as a naive loop does it."""
    assert varints(np.array(values, np.int64)).to_pylist() == [_naive_varint(value) for value in values]


def _naive_varint(value: int) -> bytes:
    zigzag = (value << 1) ^ (value >> 63)
    out = bytearray()
    while zigzag > 0x7F:
        out.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    return bytes([*out, zigzag])
