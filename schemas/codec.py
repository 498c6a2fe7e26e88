"""SocialEvents between protobuf bytes and Arrow, whole batches at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import ptars
import pyarrow as pa
import pyarrow.compute as pc

from schemas import social_event_pb2
from schemas.arrow import EVENT

#: Seconds that fit into 64-bit nanoseconds: beyond, a timestamp cannot be told in Arrow.
_MAX_ABSOLUTE_MS = 9_223_372_036_000


@dataclass(frozen=True)
class DecodedEvents:
    """The readable rows of a batch of bytes, and what was wrong with the others.

    `events` has schema EVENT and one row for each entry of `rows` (the positions in the input, ascending);
    `bad_rows` and `reasons` name the rest. A missing `ts` is null in `events`.
    """

    events: pa.RecordBatch
    rows: pa.Int64Array
    bad_rows: list[int]
    reasons: list[str]


@cache
def _handler() -> Any:  # noqa: ANN401 - ptars ships no types
    config = ptars.PtarsConfig(timestamp_unit="ms")
    pool = ptars.HandlerPool([social_event_pb2.DESCRIPTOR], config)
    return pool.get_for_message(social_event_pb2.SocialEvent.DESCRIPTOR)


@cache
def _wire_schema() -> pa.Schema:
    return _handler().schema()


def encode_events(events: pa.RecordBatch) -> pa.BinaryArray:
    """Encode a batch in schema EVENT as SocialEvent messages, one bytes value a row."""
    encoded: pa.BinaryArray = _handler().record_batch_to_array(
        pa.RecordBatch.from_arrays(events.columns, schema=_wire_schema())
    )
    return encoded


def decode_events(values: pa.BinaryArray) -> DecodedEvents:
    """Decode SocialEvent messages; rows that cannot be read are named with their reason, the others are unharmed."""
    bad_rows: list[int] = []
    reasons: list[str] = []
    batches: list[pa.RecordBatch] = []
    spans: list[tuple[int, int]] = [(0, len(values))]
    good: list[pa.Array] = []
    while spans:
        start, stop = spans.pop()
        try:
            batch = _handler().array_to_record_batch(values[start:stop])
        except ValueError as error:
            if stop - start == 1:
                bad_rows.append(start)
                reasons.append(str(error))
            else:
                middle = (start + stop) // 2
                spans += [(middle, stop), (start, middle)]
            continue
        if batch.num_rows:
            batches.append(batch)
            good.append(pa.array(range(start, stop), pa.int64()))
    table = pa.Table.from_batches(batches, _wire_schema()) if batches else _wire_schema().empty_table()
    events = pa.RecordBatch.from_arrays(
        [_one_chunk(column).cast(field.type) for column, field in zip(table.columns, EVENT, strict=True)],
        schema=EVENT,
    )
    rows = pa.concat_arrays(good) if good else pa.array([], pa.int64())
    return _without_untellable_times(DecodedEvents(events, rows, bad_rows, reasons))


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _without_untellable_times(decoded: DecodedEvents) -> DecodedEvents:
    milliseconds = decoded.events.column("ts").cast(pa.int64())
    tellable = pc.fill_null(
        pc.and_(pc.greater(milliseconds, -_MAX_ABSOLUTE_MS), pc.less(milliseconds, _MAX_ABSOLUTE_MS)),
        fill_value=True,
    )
    if pc.all(tellable, min_count=0).as_py():
        return decoded
    outside = decoded.rows.filter(pc.invert(tellable)).to_pylist()
    return DecodedEvents(
        decoded.events.filter(tellable),
        decoded.rows.filter(tellable),
        decoded.bad_rows + outside,
        decoded.reasons + ["ts is outside the years 1677 to 2262"] * len(outside),
    )
