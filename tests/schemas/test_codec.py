from __future__ import annotations

import re
from datetime import UTC, datetime

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from schemas.arrow import EVENT
from schemas.codec import decode_events, encode_events
from schemas.social_event_pb2 import SocialEvent

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_MESSAGES = st.builds(
    SocialEvent,
    id=_TEXT,
    source=_TEXT,
    channel_id=_TEXT,
    user_id=_TEXT,
    raw_payload=st.binary(max_size=30),
    metadata=st.dictionaries(_TEXT, _TEXT, max_size=3),
)


#: Bytes that open no group (wire type 3): ptars skips one without holding its end against its start, protobuf does not.
#: No tag is longer than five bytes either: protobuf refuses one, ptars skips its field.
_BYTES = (
    st.lists(st.sampled_from([byte for byte in range(256) if byte & 7 != 3]), max_size=12)
    .map(bytes)
    .filter(lambda value: not re.search(rb"[\x80-\xff]{5}", value))
)


def _decodes(value: bytes) -> bool:
    try:
        SocialEvent.FromString(value)
    except Exception:  # noqa: BLE001 - protobuf raises its own kinds for each way to be malformed
        return False
    return True


@given(st.lists(st.one_of(_MESSAGES.map(lambda m: m.SerializeToString()), _BYTES), max_size=12))
def test_agrees_with_protobuf_row_by_row(values: list[bytes]) -> None:
    """Every row that protobuf itself reads is read with the same fields, every other row is named as bad."""
    decoded = decode_events(pa.array(values, pa.binary()))
    positions = decoded.rows.to_pylist()
    assert sorted(positions + decoded.bad_rows) == list(range(len(values)))
    untellable = {
        row for row, why in zip(decoded.bad_rows, decoded.reasons, strict=True) if why.startswith("ts is outside")
    }
    assert set(decoded.bad_rows) - untellable == {row for row, value in enumerate(values) if not _decodes(value)}
    for position, row in zip(positions, decoded.events.to_pylist(), strict=True):
        message = SocialEvent.FromString(values[position])
        assert (row["id"], row["channel_id"], row["raw_payload"]) == (
            message.id,
            message.channel_id,
            message.raw_payload,
        )
        assert dict(row["metadata"]) == dict(message.metadata)


def test_a_group_with_anothers_end_harms_no_field() -> None:
    """SocialEvent has no groups; what claims to be one is skipped, and the fields around it are read."""
    value = b"\x0b$" + SocialEvent(id="a", channel_id="c").SerializeToString()
    (row,) = decode_events(pa.array([value], pa.binary())).events.to_pylist()
    assert (row["id"], row["channel_id"]) == ("a", "c")


def test_a_tag_written_too_long_harms_no_field() -> None:
    """A field of no number that SocialEvent has is skipped, however its number is written."""
    value = b"\x80\x80\x80\x80\x81\x00\x00" + SocialEvent(id="a", channel_id="c").SerializeToString()
    (row,) = decode_events(pa.array([value], pa.binary())).events.to_pylist()
    assert (row["id"], row["channel_id"]) == ("a", "c")


def test_round_trip_keeps_every_field() -> None:
    """A batch encoded and decoded is the same batch."""
    row = {
        "id": "a",
        "ts": datetime(2026, 1, 2, 3, 4, 5, 678000, UTC),
        "source": "x",
        "channel_id": "c",
        "user_id": "u",
        "raw_payload": b'{"text": "\xf0\x9f\x98\x80"}',
        "metadata": [("kind", "message")],
    }
    batch = pa.RecordBatch.from_pylist([row, {**row, "id": "b"}], schema=EVENT)
    assert decode_events(encode_events(batch)).events.equals(batch)


def test_empty_batch_has_the_schema() -> None:
    """No rows in, no rows out, and still the schema's columns."""
    assert decode_events(pa.array([], pa.binary())).events.schema.names == EVENT.names


def test_time_beyond_arrow_is_named() -> None:
    """A timestamp that 64-bit nanoseconds cannot tell is a bad row, not a wrong time."""
    message = SocialEvent(id="far")
    message.ts.seconds = 253402300799
    decoded = decode_events(pa.array([message.SerializeToString()], pa.binary()))
    assert (decoded.bad_rows, decoded.reasons) == ([0], ["ts is outside the years 1677 to 2262"])
