"""Columns laid out over the rows of a batch."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.columns import Column, blank, map_column

_MAP = pa.map_(pa.string(), pa.float64())
_ROWS = 5


def test_spread() -> None:
    """Values where they belong, neutral where nothing was analysed, blank where a row was refused."""
    refused = np.array([False, True, False, False])
    column = Column(pa.array(["a", "b"]), np.array([0, 1]), pa.array(["unknown"]))
    assert column.spread(refused).to_pylist() == ["a", "", "unknown", "unknown"]
    turned = Column(pa.array(["a", "b"]), np.array([1, 0]), pa.array([""]), ascending=False)
    assert turned.spread(np.zeros(2, np.bool_)).to_pylist() == ["b", "a"]
    own = Column(pa.array(["a", "b"]), np.array([0, 1]))
    assert own.spread(refused).to_pylist() == ["a", "b", "", ""]


@pytest.mark.parametrize("type_", [pa.string(), pa.int32(), pa.float64(), pa.list_(pa.string()), _MAP])
def test_nothing(type_: pa.DataType) -> None:
    """A column that nobody fills is blank throughout."""
    assert Column.nothing(type_).spread(np.zeros(2, np.bool_)).to_pylist() == blank(type_).to_pylist() * 2


@given(
    st.dictionaries(st.sampled_from("abc"), st.dictionaries(st.integers(0, _ROWS - 1), st.floats(0, 1)), max_size=3),
    st.lists(st.booleans(), min_size=_ROWS, max_size=_ROWS),
)
def test_maps_of_columns(columns: dict[str, dict[int, float]], refused: list[bool]) -> None:
    """Each row's map has the names of the columns that hold it, and none where it was refused."""
    given_columns = {
        name: Column(
            pa.array([values[row] for row in sorted(values)], pa.float64()), np.array(sorted(values), np.int64)
        )
        for name, values in columns.items()
    }
    column = map_column(given_columns, _MAP, np.array(refused)).spread(np.array(refused))
    assert column.type == _MAP
    wanted = [
        {} if refused[row] else {name: values[row] for name, values in columns.items() if row in values}
        for row in range(_ROWS)
    ]
    assert [dict(pairs) for pairs in column.to_pylist()] == wanted
