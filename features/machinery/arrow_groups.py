"""Partial aggregates in Arrow tables: made of rows, and merged with others of the same keys.

What `features.machinery.panes` says in SQL, for engines that have none: sums and extremes as SQL takes them (nulls are
passed over, nothing gives null), texts that compare byte by byte, and sets of 32-bit keys as sorted lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: How values of one part become one: numbers, then texts, then lists of keys.
Merging = Literal["sum", "min", "max", "least", "greatest", "union"]
_NUMBERS = ("sum", "min", "max")
_KEY_BITS, _KEY_MASK = 32, 2**32 - 1


@dataclass(frozen=True)
class Groups:
    """Rows that belong together: the group of each row, numbered as they first appear, and each group's first row."""

    codes: NDArray[np.int64]
    first: NDArray[np.int64]

    @property
    def count(self) -> int:
        """How many groups there are."""
        return len(self.first)


def group(columns: Sequence[pa.Array]) -> Groups:
    """Group rows by columns of one length; nulls are equal to each other."""
    codes = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        encoded = column.dictionary_encode(null_encoding="encode")
        # Both factors are below the number of rows, so that a product of them fits.
        codes = pd.factorize(codes * max(1, len(encoded.dictionary)) + encoded.indices.to_numpy())[0]
    first = np.empty(int(codes.max(initial=-1)) + 1, np.int64)
    # The last of several assignments stays: written from the end, that is a group's first row.
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    return Groups(codes.astype(np.int64, copy=False), first)


def columns_of(table: pa.Table, names: Sequence[str]) -> list[pa.Array]:
    """Return columns of a table, each whole."""
    return [whole(table.column(name)) for name in names]


def whole(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array."""
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks or [pa.array([], column.type)])


def merge(table: pa.Table, by: Sequence[str], parts: dict[str, Merging]) -> pa.Table:
    """Merge rows that are equal in the columns `by`; the result has those and the `parts`."""
    groups = group(columns_of(table, by))
    keys = table.select(list(by)).take(pa.array(groups.first))
    return with_columns(keys, reduced(table, groups, parts))


def reduced(table: pa.Table, groups: Groups, parts: dict[str, Merging]) -> dict[str, pa.Array]:
    """Return the parts of each group, in the order of the groups."""
    numbers = [name for name, how in parts.items() if how in _NUMBERS]
    result = _numbers(table, groups, {name: parts[name] for name in numbers})
    for name, how in parts.items():
        if how in {"least", "greatest"}:
            result[name] = _texts(whole(table.column(name)), groups, how)
        elif how == "union":
            result[name] = _union(whole(table.column(name)), groups)
    return {name: result[name] for name in parts}


def with_columns(table: pa.Table, columns: dict[str, pa.Array]) -> pa.Table:
    """Return a table with more columns, or other ones of the same names."""
    for name, column in columns.items():
        place = table.schema.get_field_index(name)
        table = table.append_column(name, column) if place < 0 else table.set_column(place, name, column)
    return table


def singletons(keys: pa.Array) -> pa.ListArray:
    """Return a set of each key alone; of a null, the empty one."""
    present = pc.is_valid(keys).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(present)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), keys.drop_null())


def _numbers(table: pa.Table, groups: Groups, parts: dict[str, Merging]) -> dict[str, pa.Array]:
    if not parts:
        return {}
    coded = with_columns(table.select(list(parts)), {"": pa.array(groups.codes)})
    found = coded.group_by("", use_threads=False).aggregate(list(parts.items()))
    # Arrow promises no order of groups.
    order = pa.array(np.argsort(found.column("").to_numpy(), kind="stable"))
    return {
        name: whole(found.column(f"{name}_{how}").take(order)).cast(table.schema.field(name).type)
        for name, how in parts.items()
    }


def _texts(values: pa.Array, groups: Groups, how: Merging) -> pa.Array:
    present = pc.is_valid(values).to_numpy(zero_copy_only=False)
    codes, texts = groups.codes[present], values.drop_null()
    ascending = "ascending" if how == "least" else "descending"
    keys = [("code", "ascending"), ("text", ascending)]
    order = pc.sort_indices(pa.table({"code": codes, "text": texts}), sort_keys=keys).to_numpy()
    ordered = codes[order]
    heads = np.flatnonzero(np.diff(ordered, prepend=-1))
    rows = np.zeros(groups.count, np.int64)
    missing = np.ones(groups.count, bool)
    rows[ordered[heads]], missing[ordered[heads]] = order[heads], False
    return texts.take(pa.array(rows, mask=missing))


def _union(sets: pa.ListArray, groups: Groups) -> pa.ListArray:
    lengths = pc.fill_null(pc.list_value_length(sets), 0).to_numpy()
    keys = sets.flatten().to_numpy()
    # A group and a key side by side in 64 bits sort as they do; keys as unsigned ones.
    both = np.repeat(groups.codes, lengths) << _KEY_BITS | keys.astype(np.int64) & _KEY_MASK
    distinct = np.unique(both)
    counts = np.bincount(distinct >> _KEY_BITS, minlength=groups.count)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pa.ListArray.from_arrays(
        pa.array(offsets), pa.array((distinct & _KEY_MASK).astype(np.uint32).view(np.int32))
    )
