"""Feast's Redis format, encoded a whole Arrow batch at a time, without Feast and without a Python object a cell.

A Redis hash holds all views of one entity. Its key is Feast's entity key, serialisation version 3, followed by the
project; a field is the murmur3 hash of `view:feature`, four bytes little-endian, and holds a protobuf message
`feast.types.Value`; the field `_ts:view` holds the row's event time as a protobuf Timestamp. The format is specified
in Feast's docs/specs/online_store_format.md and is what feast.infra.online_stores.redis reads and writes.

A missing value is an empty Value. Feast writes NaN as missing, and so does this.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import mmh3
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.machinery.protobuf_cells import double_cells, int_cells, prefixed_strings, timestamp_cells
from features.machinery.view_spec import EVENT_TIMESTAMP
from schemas.errors import EchoPulseError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from features.machinery.view_spec import Column, ViewSchema

#: feast.types.ValueType, as far as keys need it.
STRING_KEY, INT64_KEY = 2, 4
_ARROW = {"int64": pa.int64(), "float64": pa.float64(), "string": pa.string()}


@dataclass(frozen=True)
class EncodedRows:
    """Rows ready for `write_newest.lua`: `format` is what Lua's struct.unpack reads of each, `rows` one blob a row.

    A row holds the hash's key, the timestamp, then a value for each of `fields`, each preceded by its length.
    `ttl_s` is the view's time to live, 0 for ever.
    """

    format: str
    timestamp_field: bytes
    fields: tuple[bytes, ...]
    rows: pa.BinaryArray
    ttl_s: int = 0


def field_name(view: str, feature: str) -> bytes:
    """Return the hash field of a feature: murmur3 (32 bit) of `view:feature`, little-endian."""
    return struct.pack("<I", mmh3.hash(f"{view}:{feature}", signed=False))


def timestamp_field(view: str) -> bytes:
    """Return the hash field that holds the event time of a view's values."""
    return f"_ts:{view}".encode()


def encode(view: ViewSchema, project: str, batch: pa.RecordBatch) -> EncodedRows:
    """Encode feature rows. `batch` has the columns `view.columns`; others are left out.

    Raises EchoPulseError as `fitted` does.
    """
    return encode_fitted(view, project, fitted(view, batch))


def encode_fitted(view: ViewSchema, project: str, batch: pa.RecordBatch) -> EncodedRows:
    """Encode feature rows that `fitted` gave, or some of them."""
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    numeric = [column for column in view.features if column.type != "string"]
    strings = [column for column in view.features if column.type == "string"]
    cells = [
        timestamp_cells(columns[EVENT_TIMESTAMP].cast(pa.int64()).to_numpy(zero_copy_only=False)),
        *((int_cells if column.type == "int64" else double_cells)(columns[column.name]) for column in numeric),
    ]
    key_pieces, key_lengths = _keys(view, project, columns, batch.num_rows)
    pieces = [
        _fixed(key_lengths.astype("<u4").view(np.uint8).reshape(batch.num_rows, 4)),
        *key_pieces,
        _ragged(np.hstack([cell.bytes for cell in cells]), np.hstack([cell.mask for cell in cells])),
        *(piece for column in strings for piece in prefixed_strings(columns[column.name])),
    ]
    return EncodedRows(
        format="<I4c0" + "Bc0" * (1 + len(numeric)) + "I4c0" * len(strings),
        timestamp_field=timestamp_field(view.name),
        fields=tuple(field_name(view.name, column.name) for column in (*numeric, *strings)),
        rows=pc.binary_join_element_wise(*pieces, pa.scalar(b"", pa.binary())),
        ttl_s=view.ttl_s,
    )


def fitted(view: ViewSchema, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the columns `view.columns` in the types that the view declares, event timestamps in ns.

    Raises EchoPulseError for a missing column, one of another type, and a null key or event timestamp.
    """
    columns = {column.name: _column(view, batch, column) for column in (*view.join_keys, *view.features)}
    return pa.RecordBatch.from_pydict(columns | {EVENT_TIMESTAMP: _event_times(view, batch)})


def joined(slices: Iterable[EncodedRows]) -> EncodedRows:
    """Return the rows of slices of one view, of which there is at least one."""
    first, *others = slices
    return replace(first, rows=pa.concat_arrays([first.rows, *(part.rows for part in others)]))


def entity_keys(view: ViewSchema, project: str, batch: pa.RecordBatch) -> pa.BinaryArray:
    """Return the Redis keys of a batch that has the view's join keys. Raises EchoPulseError as `encode` does."""
    columns = {column.name: _column(view, batch, column) for column in view.join_keys}
    pieces, _ = _keys(view, project, columns, batch.num_rows)
    return pc.binary_join_element_wise(*pieces, pa.scalar(b"", pa.binary()))


def key_prefix(join_keys: Sequence[Column]) -> bytes:
    """Return how the Redis keys of all entities of these join keys begin: how many there are, and their names."""
    names = sorted(column.name.encode() for column in join_keys)
    return struct.pack("<I", len(names)) + b"".join(struct.pack("<II", STRING_KEY, len(name)) + name for name in names)


def _keys(
    view: ViewSchema, project: str, columns: dict[str, pa.Array], rows: int
) -> tuple[list[pa.Array | pa.Scalar], np.ndarray[tuple[int], np.dtype[np.uint32]]]:
    """Return the pieces that, joined, are each row's key, and the lengths of the keys.

    Feast sorts by the names of the keys: first all names, then all values, each with its type and length.
    """
    ordered = sorted(view.join_keys, key=lambda column: column.name)
    constant = key_prefix(ordered)
    lengths = np.full(rows, len(constant) + len(project.encode()), dtype=np.uint32)
    pieces: list[pa.Array | pa.Scalar] = []
    for column in ordered:
        if column.type == "string":
            values = columns[column.name].cast(pa.binary())
            sizes = pc.binary_length(values).to_numpy(zero_copy_only=False).astype(np.uint32)
            kind = STRING_KEY
        else:
            numbers = np.ascontiguousarray(columns[column.name].to_numpy(zero_copy_only=False).astype("<i8"))
            values = _fixed(numbers.view(np.uint8).reshape(rows, 8))
            sizes, kind = np.full(rows, 8, dtype=np.uint32), INT64_KEY
        head = np.stack([np.full(rows, kind, dtype="<u4"), sizes.astype("<u4")], axis=1)
        pieces += [_fixed(head.view(np.uint8).reshape(rows, 8)), values]
        lengths += sizes + np.uint32(8)
    return [pa.scalar(constant, pa.binary()), *pieces, pa.scalar(project.encode(), pa.binary())], lengths


def _column(view: ViewSchema, batch: pa.RecordBatch, column: Column) -> pa.Array:
    """Return a column in the type its view declares; a key must not be null and not a float."""
    array = _named(view, batch, column.name)
    wanted = _ARROW[column.type]
    try:
        cast = array.cast(wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise EchoPulseError(f"view '{view.name}', column '{column.name}': {array.type}, expected {wanted}") from error
    if column in view.join_keys:
        if column.type == "float64":
            raise EchoPulseError(f"view '{view.name}', key '{column.name}': a float64 is no key", "string or int64 is")
        if cast.null_count:
            raise EchoPulseError(f"view '{view.name}', key '{column.name}': null in {cast.null_count} rows")
    return cast


def _event_times(view: ViewSchema, batch: pa.RecordBatch) -> pa.TimestampArray:
    """Return the event timestamps in ns since the epoch; one without a zone is in UTC."""
    array = _named(view, batch, EVENT_TIMESTAMP)
    if not pa.types.is_timestamp(array.type):
        raise EchoPulseError(f"view '{view.name}', column '{EVENT_TIMESTAMP}': {array.type}, expected a timestamp")
    if array.null_count:
        raise EchoPulseError(f"view '{view.name}', column '{EVENT_TIMESTAMP}': null in {array.null_count} rows")
    times = array.cast(pa.timestamp("ns", array.type.tz))
    if len(times) and pc.min(times.cast(pa.int64())).as_py() < 0:
        raise EchoPulseError(f"view '{view.name}', column '{EVENT_TIMESTAMP}': a time before 1970")
    return times


def _named(view: ViewSchema, batch: pa.RecordBatch, name: str) -> pa.Array:
    if name not in batch.schema.names:
        raise EchoPulseError(f"view '{view.name}': no column '{name}'", did_you_mean(name, batch.schema.names))
    return batch.column(name)


def _ragged(
    matrix: np.ndarray[tuple[int, int], np.dtype[np.uint8]], mask: np.ndarray[tuple[int, int], np.dtype[np.bool_]]
) -> pa.BinaryArray:
    """Return each row's bytes where the mask is set, as one binary value a row."""
    offsets = np.zeros(len(matrix) + 1, dtype=np.int32)
    np.cumsum(mask.sum(axis=1), out=offsets[1:])
    return pa.BinaryArray.from_buffers(
        pa.binary(), len(matrix), [None, pa.py_buffer(offsets), pa.py_buffer(matrix[mask])]
    )


def _fixed(matrix: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> pa.BinaryArray:
    """Return each row of a matrix as one binary value."""
    offsets = np.arange(len(matrix) + 1, dtype=np.int32) * np.int32(matrix.shape[1])
    return pa.BinaryArray.from_buffers(
        pa.binary(), len(matrix), [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(matrix))]
    )
