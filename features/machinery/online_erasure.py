"""Delete all that the online store holds of one user."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import redis

from features.machinery.connection import connect
from features.machinery.redis_format import entity_keys
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from features.machinery.connection import OnlineStoreSettings
    from features.machinery.view_spec import ViewSchema

_ARROW = {"int64": pa.int64(), "string": pa.string()}


def delete_entities(
    settings: OnlineStoreSettings, entities: Iterable[tuple[ViewSchema, Mapping[str, Sequence[object]]]]
) -> int:
    """Delete the keys of entities, each given by a view and the values of its join keys; return how many there were.

    A key holds all views of one entity, which go with it. Raises EchoPulseError where the store does not answer.
    """
    keys: set[bytes] = set()
    for view, columns in entities:
        arrays = [pa.array(columns[column.name], _ARROW[column.type]) for column in view.join_keys]
        batch = pa.RecordBatch.from_arrays(arrays, [column.name for column in view.join_keys])
        keys |= set(entity_keys(view, settings.project, batch).to_pylist())
    if not keys:
        return 0
    try:
        with connect(settings) as client:
            return int(client.unlink(*sorted(keys)))
    except redis.RedisError as error:
        raise EchoPulseError(
            f"the online store does not answer: {error}", "online_store.connection in the settings names it"
        ) from error
