"""Events encoded by the kernel, against protobuf's own reader and the codec of all others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from echopulse.gateway.event_encoding import encode
from schemas.arrow import EVENT
from schemas.codec import decode_events, encode_events
from schemas.social_event_pb2 import SocialEvent

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TEXTS = st.text(max_size=5) | st.just("x" * 200) | st.just("é" * 9_000)
_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "id": _TEXTS,
            "ts": st.integers(-62_135_596_800_000, 253_402_300_799_999),
            "source": _TEXTS,
            "channel_id": _TEXTS,
            "user_id": _TEXTS,
            "raw_payload": st.binary(max_size=5) | st.just(b"\xff" * 130),
            "metadata": st.dictionaries(_TEXTS, _TEXTS, max_size=3).map(lambda found: list(found.items())),
        }
    ),
    max_size=5,
)


def _batch(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(rows, schema=EVENT)


@given(_ROWS)
def test_protobuf_reads_what_was_written(rows: list[dict[str, Any]]) -> None:
    """Field by field, empty ones and times before 1970 too."""
    messages = [SocialEvent.FromString(value) for value in encode(_batch(rows)).to_pylist()]
    assert len(messages) == len(rows)
    for message, row in zip(messages, rows, strict=True):
        told = (message.id, message.source, message.channel_id, message.user_id, message.raw_payload)
        assert told == tuple(row[name] for name in ("id", "source", "channel_id", "user_id", "raw_payload"))
        moment = timedelta(seconds=message.ts.seconds, microseconds=message.ts.nanos // 1_000)
        assert moment == timedelta(milliseconds=row["ts"])
        assert dict(message.metadata) == dict(row["metadata"])


@given(_ROWS, st.integers(0, 4))
def test_the_codec_reads_what_it_would_have_written(rows: list[dict[str, Any]], first: int) -> None:
    """Also of a part of a batch, and of rows that were chosen."""
    # Arrow's nanoseconds, of which the codec reads, reach no farther.
    batch = _batch([row | {"ts": row["ts"] % 4_102_444_800_000} for row in rows])
    for part in (
        batch.slice(first),
        batch.filter(pa.array([place % 2 == 0 for place in range(len(rows))], pa.bool_())),
    ):
        ours, theirs = decode_events(encode(part)), decode_events(encode_events(part))
        assert ours.events.to_pylist() == theirs.events.to_pylist()
        assert not ours.bad_rows


def test_the_fields_are_those_of_the_contract() -> None:
    """The kernel writes their numbers itself."""
    assert {field.name: field.number for field in SocialEvent.DESCRIPTOR.fields} == {
        name: number for number, name in enumerate(EVENT.names, 1)
    }
