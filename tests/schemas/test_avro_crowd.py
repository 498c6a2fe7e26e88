"""What is told of the crowd, as Avro."""

from __future__ import annotations

from datetime import UTC, datetime

from schemas.avro_crowd import decode_crowd, encode_crowd


def test_a_record_comes_back() -> None:
    """Times go in as ms UTC and come back aware."""
    trend = {
        "term": "#Poem",
        "kind": "hashtag",
        "burst": 7.5,
        "messages": 12,
        "users": 9.0,
        "texts": 8.0,
        "expected": 0.5,
    }
    datum = encode_crowd("trends", {"channel_id": "c", "window_start": 0, "window_end": 60_000, "trends": [trend]})
    record = decode_crowd("trends", datum)
    assert record["trends"] == [trend]
    assert record["window_end"] == datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
