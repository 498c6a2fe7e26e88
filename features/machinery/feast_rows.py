"""Rows as Feast hands them to an online store, encoded for the writer.

Feast's interface gives a protobuf message a cell, so that there is a Python object for each whatever is done with it;
the job's own rows go through `redis_format`, which has none.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

import pyarrow as pa
from feast.infra.online_stores.helpers import _redis_key
from google.protobuf.timestamp_pb2 import Timestamp

from features.machinery.redis_format import EncodedRows, field_name, timestamp_field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from feast.protos.feast.types.EntityKey_pb2 import EntityKey
    from feast.protos.feast.types.Value_pb2 import Value

    FeastRow = tuple[EntityKey, dict[str, Value], datetime, datetime | None]


def encode_feast_rows(
    view: str, project: str, rows: list[FeastRow], key_version: int, ttl_s: int
) -> Iterator[EncodedRows]:
    """Yield the rows encoded, in runs of rows that carry the same features. A time without a zone is in UTC."""
    for names, run in groupby(rows, key=lambda row: tuple(row[1])):
        encoded = [
            _prefixed(
                _redis_key(project, key, entity_key_serialization_version=key_version),
                _stamp(moment),
                *(value.SerializeToString() for value in values.values()),
            )
            for key, values, moment, _ in run
        ]
        yield EncodedRows(
            format="<" + "I4c0" * (2 + len(names)),
            timestamp_field=timestamp_field(view),
            fields=tuple(field_name(view, name) for name in names),
            rows=pa.array(encoded, pa.binary()),
            ttl_s=ttl_s,
        )


def _stamp(moment: datetime) -> bytes:
    stamp = Timestamp()
    stamp.FromDatetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    return bytes(stamp.SerializeToString())


def _prefixed(*parts: bytes) -> bytes:
    return b"".join(struct.pack("<I", len(part)) + part for part in parts)
