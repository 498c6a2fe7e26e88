"""Feast's Redis format, byte for byte against Feast's own functions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from feast.infra.online_stores.helpers import _mmh3, _redis_key
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.type_map import python_values_to_proto_values
from feast.value_type import ValueType
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from features.machinery.redis_format import encode, entity_keys, field_name
from features.machinery.view_spec import Column, ViewSchema
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from features.machinery.redis_format import EncodedRows

TEXT = st.text(st.characters(codec="utf-8"), max_size=200)
VIEW = ViewSchema(
    "talk_1m",
    (Column("user_id", "string"), Column("channel", "int64")),
    (Column("n", "int64"), Column("word", "string"), Column("x", "float64")),
)
SCHEMA = pa.schema(
    [
        ("user_id", pa.string()),
        ("channel", pa.int64()),
        ("n", pa.int64()),
        ("word", pa.string()),
        ("x", pa.float64()),
        ("event_timestamp", pa.timestamp("us", "UTC")),
    ]
)
INT64 = st.integers(-(2**63), 2**63 - 1)
TIMES = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 zoned by the strategy
ROWS = st.lists(
    st.tuples(TEXT, INT64, st.none() | INT64, st.none() | TEXT, st.none() | st.floats(), TIMES), min_size=1, max_size=20
)
VALUE_TYPES = {"int64": ValueType.INT64, "float64": ValueType.DOUBLE, "string": ValueType.STRING}


def split(encoded: EncodedRows) -> list[list[bytes]]:
    """Read rows by their format, as the script does."""
    lengths = [4 if part == "I4" else 1 for part in encoded.format.removeprefix("<").split("c0")[:-1]]
    rows = []
    for row in encoded.rows.to_pylist():
        position, parts = 0, []
        for length in lengths:
            size = int.from_bytes(row[position : position + length], "little")
            parts.append(row[position + length : position + length + size])
            position += length + size
        assert position == len(row)
        rows.append(parts)
    return rows


def feast_key(user: str, channel: int, project: str) -> bytes:
    """The key that Feast would write."""
    values = [Value(string_val=user), Value(int64_val=channel)]
    return _redis_key(project, EntityKey(join_keys=["user_id", "channel"], entity_values=values), 3)


@given(ROWS, st.sampled_from(["echopulse", "prøject"]))
def test_every_byte_is_feasts(rows: list[tuple[object, ...]], project: str) -> None:
    """Keys, timestamps and values of all types, nulls, NaN, empty and any Unicode text are Feast's bytes."""
    batch = pa.RecordBatch.from_arrays([pa.array(c, f.type) for c, f in zip(zip(*rows), SCHEMA)], schema=SCHEMA)  # noqa: B905
    encoded = encode(VIEW, project, batch)
    kinds = {_mmh3(f"talk_1m:{column.name}"): column for column in VIEW.features}
    assert set(encoded.fields) == set(kinds)
    assert encoded.timestamp_field == b"_ts:talk_1m"
    for row, (key, stamp, *values) in zip(batch.to_pylist(), split(encoded), strict=True):
        expected = Timestamp()
        expected.FromDatetime(row["event_timestamp"])
        assert stamp == expected.SerializeToString()
        assert key == feast_key(row["user_id"], row["channel"], project)
        for field, value in zip(encoded.fields, values, strict=True):
            column = kinds[field]
            [proto] = python_values_to_proto_values([row[column.name]], VALUE_TYPES[column.type])
            assert value == proto.SerializeToString()


@given(TEXT, INT64)
def test_keys_alone_are_the_same(user: str, channel: int) -> None:
    """A reader finds what a writer wrote."""
    batch = pa.record_batch({"user_id": [user], "channel": pa.array([channel], pa.int64())})
    assert entity_keys(VIEW, "echopulse", batch).to_pylist() == [feast_key(user, channel, "echopulse")]


@given(TEXT, TEXT)
def test_field_names_are_feasts(view: str, feature: str) -> None:
    """Murmur3 of `view:feature`, four bytes, little-endian."""
    assert field_name(view, feature) == _mmh3(f"{view}:{feature}")


def row(**changes: object) -> pa.RecordBatch:
    """One good row with columns changed."""
    stamp = datetime(2026, 1, 1, tzinfo=UTC)
    good = {"user_id": "u", "channel": 1, "n": 1, "word": "w", "x": 0.5, "event_timestamp": stamp}
    return pa.RecordBatch.from_pylist([{k: v for k, v in (good | changes).items() if v is not ...}])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": ...}, "view 'talk_1m': no column 'x'"),
        ({"event_timestamp": ...}, "no column 'event_timestamp'"),
        ({"n": "many"}, "column 'n': string, expected int64"),
        ({"event_timestamp": "now"}, "column 'event_timestamp': string, expected a timestamp"),
        ({"event_timestamp": datetime(1969, 12, 31, tzinfo=UTC)}, "a time before 1970"),
        ({"user_id": None}, "key 'user_id': null in 1 rows"),
    ],
)
def test_a_batch_that_does_not_fit_is_refused_by_name(changes: dict[str, object], message: str) -> None:
    """The error names the view and the column."""
    with pytest.raises(EchoPulseError, match=message):
        encode(VIEW, "echopulse", row(**changes))


def test_a_time_without_a_zone_is_in_utc() -> None:
    """Flink gives timestamps of either kind."""
    naive = pa.array([datetime(2026, 1, 1)], pa.timestamp("ms"))  # noqa: DTZ001 what is tested
    batch = row()
    index = batch.schema.get_field_index("event_timestamp")
    columns = [naive if i == index else column for i, column in enumerate(batch.columns)]
    other = pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
    assert split(encode(VIEW, "p", other)) == split(encode(VIEW, "p", batch))


def test_a_slice_of_a_batch_is_encoded_as_its_rows() -> None:
    """Arrow slices share their buffers; only the rows of the slice count."""
    batch = pa.RecordBatch.from_pylist([row(n=number).to_pylist()[0] for number in range(10)])
    whole = split(encode(VIEW, "p", batch))
    assert split(encode(VIEW, "p", batch.slice(3, 4))) == whole[3:7]
