"""A user's keys leave the online store, with all views on them, and nobody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from features.machinery.connection import OnlineStoreSettings
from features.machinery.online_erasure import delete_entities
from features.machinery.online_writer import OnlineWriter
from features.machinery.view_spec import EVENT_TIMESTAMP, Column, ViewSchema
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    import redis


def test_the_keys_of_one_entity_go(valkey: str, client: redis.Redis, view: ViewSchema, now_ms: int) -> None:
    """Deleted once, not found again."""
    settings = OnlineStoreSettings(connection=valkey)
    rows = {"channel_id": ["a", "b"], "n": [1, 2], "x": [0.5, 0.5], "word": ["y", "z"]}
    times = pa.array([now_ms] * 2, pa.timestamp("ms", "UTC"))
    OnlineWriter(settings).write(view, pa.RecordBatch.from_pydict(rows | {EVENT_TIMESTAMP: times}))
    other = ViewSchema("talk_5m", (Column("channel_id", "string"),), view.features)
    entity = {"channel_id": ["a"]}
    assert delete_entities(settings, [(view, entity), (other, entity)]) == 1
    assert len(client.keys()) == 1
    assert delete_entities(settings, [(view, entity)]) == 0
    assert delete_entities(settings, []) == 0


def test_a_store_that_is_away_is_told(view: ViewSchema) -> None:
    """In one line."""
    with pytest.raises(EchoPulseError, match="the online store does not answer"):
        delete_entities(OnlineStoreSettings(connection="127.0.0.1:1"), [(view, {"channel_id": ["a"]})])
