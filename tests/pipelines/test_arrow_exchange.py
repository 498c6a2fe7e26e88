from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest
from pyflink.table.types import DataTypes
from pyflink.table.utils import pandas_to_arrow

from pipelines.arrow_exchange import from_arrow, to_arrow

_VALUES = [
    pa.array(["a", None, "ü\U0001f600"]),
    pa.array([1.5, None, float("-inf")]),
    pa.array([1, None, 3], pa.int64()),
    pa.array([["a"], [], None], pa.list_(pa.string())),
    pa.StructArray.from_arrays([pa.array(["x", "y", None]), pa.array([1, 2, 3], pa.int32())], names=["s", "i"]),
]


@pytest.mark.parametrize("values", _VALUES, ids=lambda values: str(values.type))
def test_pyflink_hands_the_array_through(values: pa.Array) -> None:
    """PyFlink's own conversion gives back the very array, nulls as they were."""
    series = from_arrow(values)
    assert type(series) is pd.Series
    batch = pandas_to_arrow(pa.schema([("r", values.type)]), "UTC", [DataTypes.STRING()], [series])
    assert batch.column(0).equals(values)


def test_bytes_come_in_as_pyflink_gives_them() -> None:
    """A column of bytes objects, None where null, becomes a binary array."""
    column = pa.array([b"a", None, b""], pa.binary()).to_pandas()
    assert to_arrow(column, pa.binary()).to_pylist() == [b"a", None, b""]


def test_times_come_in_as_pyflink_gives_them() -> None:
    """A zoned pandas column becomes the same instants in ms."""
    column = pd.Series(pd.to_datetime(["2026-01-02T03:04:05.678Z"])).dt.tz_convert("Europe/Berlin")
    assert to_arrow(column, pa.timestamp("ms", "UTC")).cast(pa.int64()).to_pylist() == [1767323045678]
