"""Trends, conversations and health as Avro datums; a channel has a few a minute, so one at a time."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Literal

import fastavro

from schemas.avro import schema

if TYPE_CHECKING:
    from collections.abc import Mapping

CrowdRecord = Literal["trends", "conversations", "health"]


def encode_crowd(name: CrowdRecord, record: Mapping[str, Any]) -> bytes:
    """Encode one record of the shipped schema `name`; its times are in ms UTC."""
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, schema(name), dict(record))
    return buffer.getvalue()


def decode_crowd(name: CrowdRecord, datum: bytes) -> dict[str, Any]:
    """Decode one record; its times come back as aware UTC datetimes."""
    record = fastavro.schemaless_reader(io.BytesIO(datum), schema(name), None)
    if not isinstance(record, dict):
        message = f"a datum of {name} is not a record"
        raise TypeError(message)
    return record
