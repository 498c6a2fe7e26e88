"""Read the latest feature rows from the online store in bulk, without Feast."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import redis
from redis.exceptions import RedisClusterException

from features.machinery.encrypted_rows import decrypt_cells
from features.machinery.hash_reads import read_hash_fields
from features.machinery.protobuf_columns import double_column, int_column, string_column, timestamp_column
from features.machinery.redis_format import entity_keys, field_name, timestamp_field
from features.machinery.view_spec import EVENT_TIMESTAMP
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from features.machinery.connection import Client
    from features.machinery.encryption import Encryption
    from features.machinery.view_spec import ViewSchema

_DECODERS = {"int64": int_column, "float64": double_column, "string": string_column}
_ARROW = {"int64": pa.int64(), "string": pa.string()}


def read_latest(
    client: Client,
    project: str,
    view: ViewSchema,
    entities: Sequence[tuple[object, ...]],
    now_ms: int | None = None,
    cipher: Encryption | None = None,
) -> pa.RecordBatch:
    """Return a row of `view.columns` for each entity, in order; `entities` are the values of the join keys.

    One round trip. All features and the event timestamp (ns, UTC) are null where the store has no row, or one older
    than the view's time to live at `now_ms` (default: the present). Raises EchoPulseError where the store is away or
    holds values of other types, or some that `cipher` cannot decrypt.
    """
    names = [column.name for column in view.join_keys]
    columns = list(zip(*entities, strict=True)) if entities else [()] * len(names)
    keys = pa.RecordBatch.from_arrays(
        [pa.array(values, _ARROW[column.type]) for values, column in zip(columns, view.join_keys, strict=True)], names
    )
    fields: list[str | bytes] = [
        *(field_name(view.name, column.name) for column in view.features),
        timestamp_field(view.name),
    ]
    commands = [(key, fields) for key in entity_keys(view, project, keys).to_pylist()]
    try:
        rows = decrypt_cells(cipher, commands, read_hash_fields(client, commands))
    except (redis.RedisError, RedisClusterException) as error:
        raise EchoPulseError(f"view '{view.name}': cannot read the online store: {error}") from error
    *values, stamps = zip(*rows, strict=True) if rows else [()] * len(fields)
    times = timestamp_column(pa.array(stamps, pa.binary()))
    live = _alive(times, view.ttl_s, time.time_ns() // 1_000_000 if now_ms is None else now_ms)
    decoded = [
        _DECODERS[column.type](pa.array(cells, pa.binary()))
        for cells, column in zip(values, view.features, strict=True)
    ]
    blanked = [pc.if_else(live, column, pa.scalar(None, column.type)) for column in (*decoded, times)]
    return pa.RecordBatch.from_arrays(
        [*keys.columns, *blanked], [*names, *(column.name for column in view.features), EVENT_TIMESTAMP]
    )


def _alive(times: pa.TimestampArray, ttl_s: int, now_ms: int) -> pa.BooleanArray:
    """Return which rows exist and have not outlived the view; a time to live of 0 is for ever."""
    if not ttl_s:
        return times.is_valid()
    oldest = pa.scalar((now_ms - ttl_s * 1_000) * 1_000_000, pa.timestamp("ns", "UTC"))
    return pc.coalesce(pc.greater_equal(times, oldest), pa.scalar(False))  # noqa: FBT003 a value, no flag
