"""The reader: what was encoded is what is read, and nothing past its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.machinery.connection import OnlineStoreSettings
from features.machinery.online_writer import OnlineWriter
from features.machinery.reader import read_latest
from features.machinery.view_spec import Column, ViewSchema
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from features.machinery.view_spec import ViewSchema as Schema

TEXT = st.text(st.characters(codec="utf-8"), max_size=300)
VALUES = st.lists(
    st.tuples(st.none() | st.integers(-(2**63), 2**63 - 1), st.none() | st.floats(allow_nan=False), st.none() | TEXT),
    min_size=1,
    max_size=10,
)
START_NS = 1_760_000_000_123_456_789


def rows(values: list[tuple[object, ...]]) -> pa.RecordBatch:
    """A row a channel, the channels numbered."""
    n, x, word = zip(*values, strict=True)
    return pa.record_batch(
        {
            "channel_id": [f"c{number}" for number in range(len(values))],
            "n": pa.array(n, pa.int64()),
            "x": pa.array(x, pa.float64()),
            "word": pa.array(word, pa.string()),
            "event_timestamp": pa.array(range(START_NS, START_NS + len(values)), pa.timestamp("ns", "UTC")),
        }
    )


@given(VALUES)
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_written_is_read(
    client: redis.Redis, valkey: str, view: Schema, values: list[tuple[object, ...]]
) -> None:
    """All types, nulls, extremes, empty and any Unicode text come back, to the nanosecond."""
    client.flushall()
    written = rows(values)
    OnlineWriter(OnlineStoreSettings(valkey)).write(view, written)
    entities = [(name,) for name in written.column("channel_id").to_pylist()]
    assert read_latest(client, "echopulse", view, entities, now_ms=START_NS // 1_000_000).equals(written)


def test_missing_and_expired_rows_are_null(client: redis.Redis, valkey: str, view: Schema) -> None:
    """A row lives for the view's time to live and not a millisecond longer."""
    OnlineWriter(OnlineStoreSettings(valkey)).write(view, rows([(1, 1.0, "a")]))
    last_ms = START_NS // 1_000_000 + view.ttl_s * 1_000
    entities = [("c0",), ("nobody",)]
    assert read_latest(client, "echopulse", view, entities, last_ms).column("n").to_pylist() == [1, None]
    late = read_latest(client, "echopulse", view, entities, last_ms + 1)
    assert late.column("n").to_pylist() == late.column("event_timestamp").to_pylist() == [None, None]


def test_a_view_without_a_time_to_live_never_expires(client: redis.Redis, valkey: str, view: Schema) -> None:
    """0 is for ever."""
    lasting = ViewSchema(view.name, view.join_keys, view.features, ttl_s=0)
    OnlineWriter(OnlineStoreSettings(valkey)).write(lasting, rows([(1, 1.0, "a")]))
    assert read_latest(client, "echopulse", lasting, [("c0",)], 2**45).column("n").to_pylist() == [1]


def test_no_entities_give_no_rows(client: redis.Redis, view: Schema) -> None:
    """The columns are there all the same."""
    nothing = read_latest(client, "echopulse", view, [])
    assert (nothing.num_rows, nothing.schema.names) == (0, list(view.columns))


def test_values_of_another_type_are_told(client: redis.Redis, valkey: str, view: Schema) -> None:
    """A declaration that changed meets what was written before."""
    OnlineWriter(OnlineStoreSettings(valkey)).write(view, rows([(1, 1.0, "a")]))
    changed = ViewSchema(view.name, view.join_keys, (Column("n", "float64"),))
    with pytest.raises(EchoPulseError, match="a stored value is no float64"):
        read_latest(client, "echopulse", changed, [("c0",)])


def test_a_store_that_is_away_is_told(view: Schema) -> None:
    """One line with the view."""
    with (
        redis.Redis("127.0.0.1", 1, socket_timeout=1) as nowhere,
        pytest.raises(EchoPulseError, match="view 'talk_1m': cannot read the online store"),
    ):
        read_latest(nowhere, "echopulse", view, [("c0",)])
