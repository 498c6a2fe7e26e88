"""Arrow columns out of JSON values and CSV cells; a value that does not fit spoils its own row only."""

from __future__ import annotations

from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa

from echopulse.gateway.event_time import times
from echopulse.gateway.rows import FIELDS, METADATA, READ, Faults
from echopulse.gateway.single_values import each, flat_object, payload_of, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MISFIT = (TypeError, ValueError, OverflowError)


def columns_of(values: Sequence[Sequence[Any] | pa.Array], faults: Faults) -> pa.RecordBatch:
    """Build a batch in schema READ from seven sequences of values in the order of FIELDS, None where missing.

    Positions whose value does not fit are named in `faults` and null in that column. A column may come as Arrow's own.
    """
    ids, stamps, sources, channels, users, payloads, metadata = values
    texts = [
        texts_of(column, name, faults) for column, name in zip((ids, sources, channels, users), _TEXTS, strict=True)
    ]
    arrays = [texts[0], times(stamps, faults), *texts[1:], payloads_of(payloads, faults), metadata_of(metadata, faults)]
    return pa.RecordBatch.from_arrays(arrays, schema=READ)


_TEXTS = tuple(name for name in FIELDS if READ.field(name).type == pa.string())


def texts_of(values: Sequence[Any] | pa.StringArray, name: str, faults: Faults) -> pa.StringArray:
    """Build a column of text; whole numbers become their digits."""
    if isinstance(values, pa.StringArray):
        return values
    try:
        return pa.array(values, pa.string())
    except _MISFIT:
        return pa.array(each(values, lambda value: text_of(value, name), faults), pa.string())


def payloads_of(values: Sequence[Any] | pa.BinaryArray, faults: Faults) -> pa.BinaryArray:
    """Build the column of raw payloads: text as its UTF-8 bytes, any other JSON value serialised again."""
    if isinstance(values, pa.BinaryArray):
        return values
    try:
        return pa.array(values, pa.binary())
    except _MISFIT:
        return pa.array(each(values, payload_of, faults), pa.binary())


def metadata_of(values: Sequence[Any] | pa.MapArray, faults: Faults) -> pa.MapArray:
    """Build the metadata: an object, or a list of pairs, of text and numbers; a null value is left out."""
    if isinstance(values, pa.MapArray):
        return values
    try:
        return _maps(values)
    except (*_MISFIT, AttributeError):
        return _maps(each(values, flat_object, faults))


def metadata_by_columns(columns: Mapping[str, str | pa.StringArray], rows: int) -> pa.MapArray:
    """Build the metadata of so many rows from a column for each key, or one text for all; null is left out."""
    if not columns or not rows:
        return pa.array([{}] * rows, METADATA)
    count = len(columns)
    # A text for all is there once; the order leads from column by column to row by row.
    texts = [pa.array([column], pa.string()) if isinstance(column, str) else column for column in columns.values()]
    starts = np.cumsum([0, *map(len, texts[:-1])])
    steps = np.array([not isinstance(column, str) for column in columns.values()], np.intp)
    order = (starts + np.arange(rows)[:, None] * steps).ravel()
    items = pa.concat_arrays(texts).take(pa.array(order))
    keys = _keys(tuple(columns), rows)
    offsets = np.arange(0, count * rows + 1, count, dtype=np.int32)
    if items.null_count:
        there = items.is_valid()
        offsets = np.concatenate([[0], np.cumsum(there.to_numpy(zero_copy_only=False))])[offsets].astype(np.int32)
        keys, items = keys.filter(there), items.filter(there)
    return pa.MapArray.from_arrays(pa.array(offsets), keys, items).cast(METADATA)


@lru_cache(maxsize=64)
def _repeated(names: tuple[str, ...], rows: int) -> pa.StringArray:
    return pa.array(list(names) * rows, pa.string())


def _keys(names: tuple[str, ...], rows: int) -> pa.StringArray:
    """Return the names over and over; cut from what is kept for the next batch, of any size up to the next power."""
    return _repeated(names, 1 << (rows - 1).bit_length()).slice(0, rows * len(names))


def json_metadata(position: int, text: str | bytes | None, faults: Faults) -> Any:  # noqa: ANN401 whatever the JSON holds
    """Parse metadata that is written as JSON in a cell; None where missing, and where it is not JSON (a fault)."""
    if text is None:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        faults.setdefault(position, ("validate", f"meta is not JSON: {error.msg} at column {error.colno}"))
        return None


def _maps(values: Sequence[Any]) -> pa.MapArray:
    """Build maps from dicts in a fixed number of passes. Raises where a value is not a dict of strings."""
    maps = [value or {} for value in values] if None in values else values
    keys = pa.array(chain.from_iterable(maps), pa.string())
    items = pa.array(chain.from_iterable([one.values() for one in maps]), pa.string())
    if items.null_count:
        raise TypeError("a null value in meta")
    offsets = np.zeros(len(maps) + 1, np.int32)
    np.cumsum([len(one) for one in maps], out=offsets[1:])
    return pa.MapArray.from_arrays(pa.array(offsets), keys, items).cast(METADATA)
