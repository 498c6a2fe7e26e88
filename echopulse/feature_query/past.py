"""The past of features: what a reader had at an instant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from echopulse.feature_query.rows import row_schema
from features.lake.standing_rows import last_of_each, standing_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from features.machinery.view_spec import Column, ViewSchema

    Span = tuple[int, int]
    Read = Callable[[Sequence[tuple[object, ...]], Span], pa.Table]

_FIRST_MS = 3_600_000


def as_of(
    read: Read,
    view: ViewSchema,
    features: Sequence[Column],
    keys: Sequence[tuple[object, ...]],
    at_ms: int,
    delay_ms: int,
) -> pa.Table:
    """Return for each of `keys`, in order, the values that could be read at an instant (ms UTC), or all null.

    They are those of the newest window that had ended `delay_ms` before, if the view's time to live was not over.
    """
    begin_ms = max(0, at_ms - view.ttl_s * 1_000) if view.ttl_s else 0
    return newest_for(read, view, features, keys, (begin_ms, at_ms - delay_ms + 1))


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
        ordered = standing_rows(read(missing, (start, end)), names)
        last = ordered.filter(pa.array(last_of_each(ordered, names)))
        found = pa.concat_tables([found, last])
        there = set(zip(*(last.column(name).to_pylist() for name in names), strict=True))
        missing = [key for key in missing if key not in there]
        end, length = start, 2 * length
    place = {key: row for row, key in enumerate(zip(*(found.column(name).to_pylist() for name in names), strict=True))}
    return found.take(pa.array([place.get(key) for key in keys], pa.int64()))
