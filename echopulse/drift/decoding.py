"""AnalysisResults off Kafka as the columns that drift reads; a datum at a time, as nothing reads Avro by columns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from schemas.avro import decode_analysis

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Columns of schemas.arrow.ANALYSED, and the event time.
SCHEMA = pa.schema(
    [
        pa.field("channel_id", pa.string()),
        pa.field("source", pa.string()),
        pa.field("ts", pa.timestamp("ms", tz="UTC")),
        pa.field("language", pa.string()),
        pa.field("sentiment", pa.string()),
        pa.field("model_sentiment", pa.string()),
        pa.field("model_toxicity", pa.string()),
        pa.field("toxicity", pa.float64()),
        *(pa.field(f"score_{label}", pa.float64()) for label in ("positive", "negative", "hate", "offensive")),
    ]
)


def result_columns(datums: Sequence[bytes]) -> pa.RecordBatch:
    """Decode AnalysisResults into SCHEMA."""
    rows = [_row(decode_analysis(datum)) for datum in datums]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(SCHEMA)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def _row(result: dict[str, Any]) -> tuple[object, ...]:
    models, scores = result["models"], result["scores"]
    return (
        *(result["channel_id"], result["source"], result["ts"], result["language"]),
        *(result["sentiment"], models.get("sentiment", ""), models.get("toxicity", ""), result["toxicity"]),
        *(scores.get(label, math.nan) for label in ("positive", "negative", "hate", "offensive")),
    )
