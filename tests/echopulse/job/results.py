"""AnalysisResults as the job writes them, with what scored them."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import fastavro

from schemas.avro import schema


def result(**models: str) -> bytes:
    """Return the datum of a result; `models` says what scored, a model where a kind is not named, nobody if ''."""
    said = {"sentiment": "sha256:aa", "toxicity": "sha256:aa"} | models
    record = {
        "event_id": "e1",
        "sentiment": "neutral",
        "toxicity": 0.0,
        "entities": [],
        "ts": datetime(2026, 1, 31, tzinfo=UTC),
        "models": {kind: model for kind, model in said.items() if model},
    }
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, schema("analysis_result"), record)
    return buffer.getvalue()
