"""Columns of a Parquet file, of whatever type they are there, as columns of events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from echopulse.gateway.columns import json_metadata, metadata_of, payloads_of, texts_of
from echopulse.gateway.event_time import times
from echopulse.gateway.rows import FIELDS, METADATA, Faults
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Past any calendar, and still far from overflow as milliseconds.
_FAR_SECONDS = 10**14


def check_types(found: Mapping[str, str], schema: pa.Schema, name: str) -> None:
    """Raise EchoPulseError naming the column whose type cannot hold its field; `found` is from field to column."""
    for field, column in found.items():
        fits, wanted = _FITTING[field]
        if not fits(_plain_type(schema.field(column).type)):
            raise EchoPulseError(
                f"{name}: column {column!r} is {schema.field(column).type}, not {wanted}",
                f"--map {field}=COLUMN names another",
            )


def column_of(field: str, column: pa.Array, faults: Faults) -> pa.Array:
    """Convert one column of a batch to the type its field has in READ; rows that do not fit are named in `faults`."""
    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    match field:
        case "ts":
            return _times(column, faults)
        case "raw":
            return _payloads(column, faults)
        case "meta":
            return _metadata(column, faults)
    return _texts(column, field, faults)


def original_row(batch: pa.RecordBatch, position: int) -> bytes:
    """Write one row as a JSON object under the file's own column names: a row of Parquet has no bytes of its own."""
    row = {name: _shown(batch.column(name)[position]) for name in batch.schema.names}
    return orjson.dumps(row, default=_told, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


def _plain_type(data_type: pa.DataType) -> pa.DataType:
    return data_type.value_type if types.is_dictionary(data_type) else data_type


def _is_bytes(data_type: pa.DataType) -> bool:
    return bool(
        types.is_string(data_type)
        or types.is_large_string(data_type)
        or types.is_binary(data_type)
        or types.is_large_binary(data_type)
        or types.is_fixed_size_binary(data_type)
    )


def _is_text(data_type: pa.DataType) -> bool:
    return _is_bytes(data_type) or types.is_integer(data_type) or types.is_null(data_type)


def _is_time(data_type: pa.DataType) -> bool:
    return (
        _is_text(data_type) or types.is_timestamp(data_type) or types.is_date(data_type) or types.is_floating(data_type)
    )


def _is_nested(data_type: pa.DataType) -> bool:
    return bool(_is_bytes(data_type) or types.is_nested(data_type) or types.is_null(data_type))


_FITTING: dict[str, tuple[Callable[[pa.DataType], bool], str]] = {
    **dict.fromkeys(FIELDS, (_is_text, "text or whole numbers")),
    "ts": (_is_time, "a timestamp, a number of milliseconds or ISO 8601 text"),
    "raw": (_is_nested, "text, bytes or a structure"),
    "meta": (_is_nested, "a map, a list of pairs, a structure or JSON text"),
}


def _texts(column: pa.Array, field: str, faults: Faults) -> pa.StringArray:
    if types.is_integer(column.type) or types.is_null(column.type):
        return column.cast(pa.string())
    try:
        # Parquet's text is not checked when it is read.
        text = column.cast(pa.string())
        text.validate(full=True)
    except pa.ArrowInvalid:
        values = [value if value is None else value.decode("utf-8", "surrogateescape") for value in _bytes(column)]
        return texts_of(values, field, faults)
    return text


def _bytes(column: pa.Array) -> list[bytes | None]:
    values: list[bytes | None] = column.cast(pa.binary()).to_pylist()
    return values


def _times(column: pa.Array, faults: Faults) -> pa.Int64Array:
    if types.is_date(column.type):
        column = column.cast(pa.timestamp("ms"))
    if types.is_timestamp(column.type):
        ticks = column.cast(pa.int64())
        match column.type.unit:
            case "s":
                capped = pc.min_element_wise(ticks, _FAR_SECONDS, skip_nulls=False)
                return pc.multiply(pc.max_element_wise(capped, -_FAR_SECONDS, skip_nulls=False), 1000)
            case "ms":
                return ticks
            case "us":
                return pc.divide(ticks, 1000)
        return pc.divide(ticks, 1_000_000)
    if types.is_signed_integer(column.type) or types.is_null(column.type):
        return column.cast(pa.int64())
    return times(column.to_pylist() if not _is_bytes(column.type) else _bytes(column), faults)


def _payloads(column: pa.Array, faults: Faults) -> pa.BinaryArray:
    if types.is_nested(column.type):
        return payloads_of(
            [value if value is None else _json(value) for value in _values(column, "raw", faults)], faults
        )
    return column.cast(pa.binary())


def _metadata(column: pa.Array, faults: Faults) -> pa.MapArray:
    if column.type == METADATA and not (column.null_count or column.items.null_count):
        try:
            column.validate(full=True)
        except pa.ArrowInvalid:
            pass  # text that is not UTF-8: row by row below
        else:
            return column.cast(METADATA)
    values = _values(column, "meta", faults)
    if _is_bytes(column.type):
        values = [json_metadata(position, value, faults) for position, value in enumerate(values)]
    return metadata_of(values, faults)


def _values(column: pa.Array, field: str, faults: Faults) -> list[Any]:
    """Return the values as Python objects; text that is not UTF-8 is a fault and None."""
    values: list[Any] = []
    for position, scalar in enumerate(column):
        try:
            values.append(scalar.as_py())
        except UnicodeDecodeError as error:
            faults.setdefault(position, ("parse", f"{field} is not UTF-8 text: {error.reason}"))
            values.append(None)
    return values


def _json(value: object) -> bytes:
    return orjson.dumps(value, default=_told, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


def _shown(scalar: pa.Scalar) -> Any:  # noqa: ANN401 whatever the column holds
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        buffer = scalar.as_buffer() if hasattr(scalar, "as_buffer") else None
        return buffer.to_pybytes() if buffer is not None else "text that is not UTF-8"


def _told(value: object) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
