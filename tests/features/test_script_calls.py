"""Calls of the write script: all rows, in one go, while more are being encoded; what fails leaves no answer behind."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from features.machinery import script_calls
from features.machinery.encrypted_rows import split
from features.machinery.encryption import Encryption
from features.machinery.redis_format import EncodedRows, encode, entity_keys, joined
from features.machinery.script_calls import EncodedSlices, call_script, needed
from features.machinery.view_spec import Column, ViewSchema

if TYPE_CHECKING:
    from collections.abc import Iterator

_COUNT = "return #ARGV[#ARGV]"
_WAIT_S = 10
VIEW = ViewSchema("talk_1m", (Column("channel_id", "string"),), (Column("n", "int64"), Column("word", "string")))


def batch(count: int) -> pa.RecordBatch:
    """Rows of as many channels."""
    numbers = list(range(count))
    return pa.record_batch(
        {
            "channel_id": [f"channel-{number}" for number in numbers],
            "n": pa.array(numbers, pa.int64()),
            "word": ["w" * (number % 7) for number in numbers],
            "event_timestamp": pa.array([1_760_000_000_000] * count, pa.timestamp("ms", "UTC")),
        }
    )


@given(count=st.integers(1, 40), step=st.integers(1, 12))
def test_slices_are_the_batch_and_can_be_gone_through_again(count: int, step: int) -> None:
    """However many rows are encoded at a time, joined they are what one encoding gives; a retry gets them anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(script_calls, "ROWS_ENCODED", step)
        slices = EncodedSlices(VIEW, "echopulse", batch(count))
        assert [len(part.rows) for part in slices] == [
            len(range(start, min(start + step, count))) for start in range(0, count, step)
        ]
        assert joined(slices) == joined(slices) == encode(VIEW, "echopulse", batch(count))


def test_slices_are_encrypted_where_there_is_a_cipher() -> None:
    """Keys and times stay open, values do not."""
    [rows] = EncodedSlices(VIEW, "echopulse", batch(5), Encryption({"a": bytes(32)}))
    places, stamps, *columns = split(rows)
    open_places, open_stamps, *open_columns = split(encode(VIEW, "echopulse", batch(5)))
    assert (places, stamps) == (open_places, open_stamps)
    assert not {value for column in columns for value in column} & {v for column in open_columns for v in column}


@pytest.mark.parametrize("rows_per_call", [1, 3, 1_000])
def test_every_row_is_in_one_call(client: redis.Redis, rows_per_call: int) -> None:
    """The script's answers are summed: here, the bytes that it was given."""
    sha, slices = str(client.script_load(_COUNT)), [encode(VIEW, "echopulse", batch(size)) for size in (7, 1, 3)]
    sent = sum(len(row) for part in slices for row in part.rows.to_pylist())
    assert call_script(client, sha, slices, 0, rows_per_call) == sent


def test_the_server_works_while_the_next_rows_are_encoded(client: redis.Redis, valkey: str) -> None:
    """What was sent is done before the next slice is there."""
    sha = str(client.script_load("return redis.call('INCR', 'calls')"))
    host, port = valkey.split(":")

    def slices() -> Iterator[EncodedRows]:
        with redis.Redis(host, int(port), socket_timeout=5) as other:
            for place in range(3):
                yield encode(VIEW, "echopulse", batch(1))
                deadline = time.monotonic() + _WAIT_S
                while int(other.get("calls") or 0) <= place:
                    assert time.monotonic() < deadline, f"slice {place} waits for the next"
                    time.sleep(0.005)

    assert call_script(client, sha, slices(), 0, 10) == 1 + 2 + 3


def test_the_head_names_the_fields_and_how_long_the_key_is_needed(client: redis.Redis) -> None:
    """The script finds the format first, then seconds, the time's field and the values'."""
    rows = encode(VIEW, "echopulse", batch(1))
    assert script_calls.head(rows, 0) == [rows.format, 0, b"_ts:talk_1m", *rows.fields]
    sha = str(client.script_load("redis.call('SET', ARGV[3], ARGV[1]) return #ARGV"))
    assert call_script(client, sha, [rows], 0, 1) == 3 + len(rows.fields) + 1
    assert client.get("_ts:talk_1m") == rows.format.encode()
    assert entity_keys(VIEW, "echopulse", batch(1))[0].as_py() in rows.rows[0].as_py()


@pytest.mark.parametrize(("key_ttl_s", "view_ttl_s", "expected"), [(0, 5, 0), (5, 0, 0), (5, 9, 9), (9, 5, 9)])
def test_a_key_is_needed_by_the_longer_of_settings_and_view(key_ttl_s: int, view_ttl_s: int, expected: int) -> None:
    """0 is for ever, on either side."""
    assert needed(key_ttl_s, view_ttl_s) == expected
