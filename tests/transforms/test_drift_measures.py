"""What results measure: nothing of events without text, and no score where a model abstained."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest

from transforms.drift_measures import LANGUAGES, MEASURES, observed_results

DIGEST = "sha256:ab"


def rows(**changed: list[object]) -> pa.RecordBatch:
    """Four results: scored, abstained, of an event without text, and of a language that has no bin of its own."""
    columns: dict[str, list[object]] = {
        "channel_id": ["c1", "c1", "c2", "c2"],
        "source": ["twitch", "twitch", "x", "x"],
        "ts": [1, 2, 3, 4],
        "language": ["en", "fi", "und", "de"],
        "model_sentiment": [DIGEST, "abstained:fi", "", DIGEST],
        "model_toxicity": [DIGEST, "abstained:fi", "", DIGEST],
        "toxicity": [0.25, 0.0, 0.0, 0.5],
        "score_positive": [0.75, math.nan, None, 0.25],
        "score_negative": [0.125, math.nan, None, 0.5],
        "score_hate": [0.5, math.nan, None, None],
        "score_offensive": [0.125, math.nan, None, 0.25],
    }
    table = pa.table(columns | changed)
    ts = table.schema.get_field_index("ts")
    table = table.set_column(ts, "ts", table["ts"].cast(pa.timestamp("ms", "UTC")))
    return table.combine_chunks().to_batches()[0]


def test_each_measure_of_each_row() -> None:
    """NaN where there is none."""
    seen = observed_results(rows())
    nan = math.nan
    expected = {
        "balance": [0.625, nan, nan, -0.25],
        "toxicity": [0.25, nan, nan, 0.5],
        "hate": [0.5, nan, nan, nan],
        "offensive": [0.125, nan, nan, 0.25],
        "abstained": [0, 1, nan, 0],
        "language": [0, len(LANGUAGES), nan, LANGUAGES.index("de")],
    }
    assert set(seen.values) == set(expected)
    for name, values in expected.items():
        assert seen.values[name].tolist() == pytest.approx(values, nan_ok=True), name
    assert seen.ts_ms.tolist() == [1, 2, 3, 4]
    assert seen.models["sentiment"].to_pylist() == [DIGEST, "", "", DIGEST]
    assert seen.models["toxicity"].to_pylist() == [DIGEST, "", "", DIGEST]


def test_every_grid_lies_within_its_range() -> None:
    """Edges ascend, and the first and last bins can be reached."""
    for name, measure in MEASURES.items():
        assert list(measure.edges) == sorted(set(measure.edges)), name
        assert measure.low < measure.edges[0], name
        assert measure.edges[-1] <= measure.high + 0.5, name
