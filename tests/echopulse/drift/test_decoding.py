"""Results off Kafka as columns: the same as the analysis had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from echopulse.drift.decoding import SCHEMA, result_columns
from schemas.avro_columns import encode_analysis

if TYPE_CHECKING:
    from collections.abc import Callable


def test_columns_are_those_that_were_encoded(results: Callable[..., pa.RecordBatch]) -> None:
    """Whatever drift reads of them; a score that was left out is NaN."""
    rows = results(20, 0.3)
    place = rows.schema.get_field_index("score_hate")
    rows = rows.set_column(place, "score_hate", pa.array([float("nan")] * 20))
    found = result_columns(encode_analysis(rows, pa.array(range(1_000, 1_020))).to_pylist())
    assert found.schema == SCHEMA
    assert found.column("ts").cast(pa.int64()).to_pylist() == list(range(1_000, 1_020))
    for name in set(SCHEMA.names) - {"ts", "score_hate"}:
        assert found.column(name).to_pylist() == rows.column(name).to_pylist(), name
    assert all(value != value for value in found.column("score_hate").to_pylist())  # noqa: PLR0124 - NaN


def test_no_results_are_no_rows() -> None:
    """With the same columns."""
    assert result_columns([]).schema == SCHEMA
