from __future__ import annotations

import io
from datetime import UTC, datetime

import fastavro

from schemas import avro

_FIVE_FIELDS = {
    "type": "record",
    "name": "AnalysisResult",
    "namespace": "events",
    "fields": [
        {"name": "event_id", "type": "string"},
        {"name": "sentiment", "type": "string"},
        {"name": "toxicity", "type": "double"},
        {"name": "entities", "type": {"type": "array", "items": "string"}},
        {"name": "ts", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    ],
}


def test_dead_letter_round_trip() -> None:
    """A dead letter comes back whole, its bytes untouched."""
    letter = avro.DeadLetter("decode", "cut short", "social.events/0/7", "", 1_700_000_000_123, b"\x00\xff")
    (datum,) = avro.encode_dead_letters([letter])
    assert avro.decode_dead_letter(datum) == letter


def test_old_reader_reads_new_records() -> None:
    """A reader that knows the first five fields goes on working."""
    record = {
        "event_id": "e",
        "sentiment": "neutral",
        "toxicity": 0.5,
        "entities": ["Kafka"],
        "ts": datetime(2026, 1, 1, tzinfo=UTC),
        "models": {"sentiment": "sha256:1"},
        "scores": {"neutral": 1.0},
    }
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, avro.schema("analysis_result"), record)
    old = fastavro.schemaless_reader(
        io.BytesIO(buffer.getvalue()), avro.schema("analysis_result"), fastavro.parse_schema(_FIVE_FIELDS)
    )
    assert old == {name: record[name] for name in ("event_id", "sentiment", "toxicity", "entities", "ts")}
    assert avro.decode_analysis(buffer.getvalue())["stance"] == {}


def test_fingerprint_is_stable() -> None:
    """The fingerprint is sixteen hex digits and differs between the schemas."""
    prints = {avro.fingerprint("analysis_result"), avro.fingerprint("dead_letter")}
    assert all(len(value) == 16 for value in prints)
    assert len(prints) == 2
