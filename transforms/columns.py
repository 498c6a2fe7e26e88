"""Columns of ANALYSED put together: values of some rows of a batch laid out over all of them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


class Column:
    """A column for some rows of the input, and its value for a row that was not analysed.

    Without such a value it is one of the event's own: a refused row keeps it too, where it could be read.
    The rows are `ascending` unless it is said.
    """

    def __init__(
        self, values: pa.Array, rows: NDArray[np.int64], neutral: pa.Array | None = None, *, ascending: bool = True
    ) -> None:
        self._ascending = ascending
        self.values = values
        self.rows = rows
        self._neutral = neutral

    @classmethod
    def nothing(cls, type_: pa.DataType) -> Column:
        """A column that nothing fills."""
        return cls(pa.array([], type_), np.zeros(0, np.int64))

    def spread(self, refused: NDArray[np.bool_]) -> pa.Array:
        """Lay the values out over all rows: blank where a row was refused, neutral where it was not analysed."""
        own = self._neutral is None
        if self._ascending and len(self.rows) == len(refused) and (own or not refused.any()):
            return self.values
        known = len(self.values)
        index = np.full(len(refused), known)
        index[self.rows] = np.arange(known)
        if not own:
            index[refused] = known + 1
        empty = blank(self.values.type)
        return pa.concat_arrays([self.values, empty if own else self._neutral, empty]).take(pa.array(index))


@cache
def blank(type_: pa.DataType) -> pa.Array:
    """One empty value of a type of ANALYSED: '', 0, or an empty list or map."""
    value: Any = [] if pa.types.is_nested(type_) else "" if pa.types.is_string(type_) else 0
    return pa.array([value], type_)


def map_column(columns: Mapping[str, Column], type_: pa.DataType, refused: NDArray[np.bool_]) -> Column:
    """Build a column of maps from names to values, over all rows; a row that a column lacks has no such name.

    `columns` holds values of one type, `type_` is map<string, it>; the map of a refused row is empty.
    """
    rows = len(refused)
    if not columns:
        nothing = (pa.array([], part) for part in (type_.key_type, type_.item_type))
        return Column(pa.MapArray.from_arrays(pa.array(np.zeros(rows + 1, np.int32)), *nothing), np.arange(rows))
    owners = np.concatenate([column.rows for column in columns.values()])
    values = pa.concat_arrays([column.values for column in columns.values()])
    names = np.repeat(np.arange(len(columns)), [len(column.rows) for column in columns.values()])
    order = np.argsort(owners, kind="stable")
    order = order[~refused[owners[order]]]
    offsets = np.zeros(rows + 1, np.int32)
    np.cumsum(np.bincount(owners[order], minlength=rows), out=offsets[1:])
    keys = pa.array(list(columns), pa.string()).take(pa.array(names[order]))
    maps = pa.MapArray.from_arrays(pa.array(offsets), keys, values.take(pa.array(order)))
    return Column(maps.cast(type_), np.arange(rows))
