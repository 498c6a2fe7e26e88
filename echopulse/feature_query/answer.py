"""Arrow columns as the messages of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from features.machinery.view_spec import EVENT_TIMESTAMP
from schemas import feature_query_pb2 as messages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from echopulse.feature_query.question import Wanted

_MS_A_SECOND = 1_000


def columns_of(wanted: Sequence[Wanted]) -> list[messages.Column]:
    """Return the columns of an answer, in order."""
    return [
        messages.Column(view=view.name, name=feature.name, type=feature.type)
        for view, features in wanted
        for feature in features
    ]


def values_of(wanted: Wanted, rows: pa.Table | pa.RecordBatch, oldest_ms: int | None) -> list[list[messages.Value]]:
    """Return each row's values of a view's features; a row without event timestamp is absent.

    One older than `oldest_ms` (ms UTC; None: no limit) has outlived the view. A message a cell: gRPC's Python has no
    other way, and an answer is bounded.
    """
    stamps = pc.cast(rows.column(EVENT_TIMESTAMP), pa.timestamp("ms"), safe=False).cast(pa.int64()).to_pylist()
    columns = [(feature.type, rows.column(feature.name).to_pylist()) for feature in wanted.features]
    return [[_value(kind, cells[row], stamp, oldest_ms) for kind, cells in columns] for row, stamp in enumerate(stamps)]


def joined(parts: Sequence[list[list[messages.Value]]]) -> list[messages.Row]:
    """Put the values of several views side by side, row by row."""
    return [messages.Row(values=[value for cells in row for value in cells]) for row in zip(*parts, strict=True)]


def _value(kind: str, cell: object, stamp: int | None, oldest_ms: int | None) -> messages.Value:
    if stamp is None:
        return messages.Value(presence=messages.ABSENT)
    value = messages.Value(presence=messages.PRESENT)
    value.event_timestamp.seconds, rest = divmod(stamp, _MS_A_SECOND)
    value.event_timestamp.nanos = rest * 1_000_000
    if oldest_ms is not None and stamp < oldest_ms:
        value.presence = messages.EXPIRED
    elif cell is None:
        value.presence = messages.NULL_VALUE
    else:
        setattr(value, kind, cell)
    return value
