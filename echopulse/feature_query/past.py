"""The past of features: what a reader had at an instant, and every value of a span; over whole tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from echopulse.feature_query.rows import WRITTEN, row_schema
from features.machinery.view_spec import EVENT_TIMESTAMP

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from features.machinery.view_spec import Column, ViewSchema

    Span = tuple[int, int]
    Read = Callable[[Sequence[tuple[object, ...]], Span], pa.Table]

_FIRST_MS = 3_600_000


def standing_rows(rows: pa.Table, view: ViewSchema) -> pa.Table:
    """Return one row for each key and window, the one written last, ordered by key, then window."""
    names = [column.name for column in view.join_keys]
    order = [*((name, "ascending") for name in names), (EVENT_TIMESTAMP, "ascending"), (WRITTEN, "ascending")]
    ordered = rows.sort_by(order)
    return ordered.filter(pa.array(_last_of_each(ordered, [*names, EVENT_TIMESTAMP])))


def newest_for(
    read: Read, view: ViewSchema, features: Sequence[Column], keys: Sequence[tuple[object, ...]], span_ms: Span
) -> pa.Table:
    """Return a row for each of `keys`, in their order: its newest window that ends in the span, else all null.

    `read(keys, span)` gives rows; it is asked for the last hour first, then for twice as long before that, and so on,
    each time for the keys that are still without a row.
    """
    names = [column.name for column in view.join_keys]
    begin, end = span_ms
    found, length, missing = row_schema(view, features).empty_table(), _FIRST_MS, list(dict.fromkeys(keys))
    while missing and begin < end:
        start = max(begin, end - length)
        ordered = standing_rows(read(missing, (start, end)), view)
        last = ordered.filter(pa.array(_last_of_each(ordered, names)))
        found = pa.concat_tables([found, last])
        there = set(zip(*(last.column(name).to_pylist() for name in names), strict=True))
        missing = [key for key in missing if key not in there]
        end, length = start, 2 * length
    place = {key: row for row, key in enumerate(zip(*(found.column(name).to_pylist() for name in names), strict=True))}
    return found.take(pa.array([place.get(key) for key in keys], pa.int64()))


def _last_of_each(ordered: pa.Table, names: Sequence[str]) -> NDArray[np.bool_]:
    """Say of each row of an ordered table whether it is the last one with its values of `names`."""
    if ordered.num_rows == 0:
        return np.zeros(0, np.bool_)
    last = np.zeros(ordered.num_rows, np.bool_)
    last[-1] = True
    for name in names:
        column = ordered.column(name).combine_chunks()
        last[:-1] |= pc.not_equal(column[1:], column[:-1]).to_numpy(zero_copy_only=False)
    return last
