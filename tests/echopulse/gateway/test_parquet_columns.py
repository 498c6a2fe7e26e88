"""Columns of Parquet, whatever their type."""

from __future__ import annotations

import pyarrow as pa

from echopulse.gateway.parquet_columns import column_of, original_row


def test_far_seconds_do_not_wrap_around() -> None:
    """Seconds beyond 64-bit milliseconds stay implausible."""
    column = pa.array([2**62, -(2**62), 5, None], pa.timestamp("s"))
    assert column_of("ts", column, {}).to_pylist() == [10**17, -(10**17), 5000, None]


def test_a_row_is_told_as_json_whatever_it_holds() -> None:
    """Bytes with escapes, maps as pairs."""
    batch = pa.record_batch(
        {
            "raw": pa.array([b"a\xff"]),
            "meta": pa.array([[("k", "v")]], pa.map_(pa.string(), pa.string())),
            "none": pa.nulls(1),
        }
    )
    assert original_row(batch, 0) == b'{"raw":"a\\\\xff","meta":[["k","v"]],"none":null}'
