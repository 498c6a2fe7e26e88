"""The judgement before Kafka: which rows are events, and a dead letter with its reason for every other one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from echopulse.gateway.byte_lengths import byte_lengths
from schemas.arrow import EVENT
from schemas.avro import DeadLetter

if TYPE_CHECKING:
    from echopulse.gateway.event_time import TimeRange
    from echopulse.gateway.rows import Faults, Rows

#: Where a row does not say which platform it comes from, its way in stands for it.
DEFAULT_SOURCE = "replay"


@dataclass(frozen=True)
class Judged:
    """The events of a batch in schema EVENT, and the dead letters of its other rows; together they are all rows."""

    events: pa.RecordBatch
    letters: list[DeadLetter]


def judge(rows: Rows, origin: str, limits: TimeRange, shift_ms: int = 0) -> Judged:
    """Split rows into events, their times moved by `shift_ms`, and dead letters of origin `origin:number`.

    A row needs an id, a channel and a ts; its ts must be within `limits` as it stands and as moved. The payload is
    not looked at. Stages: `parse` for what could not be read, `validate`, `time`.
    """
    columns = rows.columns
    times = columns.column("ts")
    moved = pc.add(times, shift_ms) if shift_ms else times
    faults = dict(rows.faults)
    for name in ("id", "channel", "ts"):
        for position in _missing(columns.column(name)):
            faults.setdefault(position, ("validate", f"{name} is missing"))
    for column in (times, moved) if shift_ms else (times,):
        if limits.holds_all(column):
            continue
        for position in _where(pc.invert(limits.holds(column))):
            faults.setdefault(position, ("time", _why_outside(columns, position, limits, shift_ms)))
    good = columns
    if faults:
        keep = np.ones(columns.num_rows, dtype=bool)
        keep[list(faults)] = False
        mask = pa.array(keep)
        good, moved = columns.filter(mask), moved.filter(mask)
    return Judged(_events(good, moved), _letters(rows, faults, origin))


def _missing(column: pa.Array) -> list[int]:
    if column.type != pa.string():
        return _where(column.is_null()) if column.null_count else []
    if not column.null_count and byte_lengths(column).all():
        return []
    return _where(pc.or_(column.is_null(), pc.fill_null(pc.equal(column, ""), False)))  # noqa: FBT003 arrow's own argument


def _where(mask: pa.BooleanArray) -> list[int]:
    """Return the positions that are true; the mask is nearly always all false, and then nothing is built."""
    if not pc.any(mask).as_py():
        return []
    positions: list[int] = pc.indices_nonzero(mask).to_pylist()
    return positions


def _why_outside(columns: pa.RecordBatch, position: int, limits: TimeRange, shift_ms: int) -> str:
    time_ms: int = columns.column("ts")[position].as_py()
    if not limits.oldest_ms <= time_ms <= limits.newest_ms:
        return limits.why_not(time_ms)
    return f"{limits.why_not(time_ms + shift_ms)}, after the file's times were moved by {shift_ms} ms"


def _events(good: pa.RecordBatch, times: pa.Int64Array) -> pa.RecordBatch:
    source = _filled(good.column("source"), DEFAULT_SOURCE)
    if not byte_lengths(source).all():
        source = pc.if_else(pc.equal(source, ""), DEFAULT_SOURCE, source)
    return pa.RecordBatch.from_arrays(
        [
            good.column("id"),
            times.cast(pa.timestamp("ms", "UTC")),
            source,
            good.column("channel"),
            _filled(good.column("user"), ""),
            _filled(good.column("raw"), b""),
            good.column("meta"),
        ],
        schema=EVENT,
    )


def _filled(column: pa.Array, value: str | bytes) -> pa.Array:
    return pc.fill_null(column, value) if column.null_count else column


def _letters(rows: Rows, faults: Faults, origin: str) -> list[DeadLetter]:
    now_ms = time.time_ns() // 1_000_000
    ids = rows.columns.column("id")
    return [
        DeadLetter(
            stage=stage,
            reason=reason,
            origin=f"{origin}:{rows.numbers[position]}",
            event_id=ids[position].as_py() or "",
            ts=now_ms,
            original=rows.original(position),
        )
        for position, (stage, reason) in sorted(faults.items())
    ]
