"""Stream and consumer are made once, and refused where they are otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from nats.js.api import ConsumerConfig, RetentionPolicy, StorageType

from echopulse.gateway.nats_config import NatsConfig
from echopulse.gateway.nats_connection import connect, disconnect
from echopulse.gateway.nats_stream import BRIDGE, declared, ensure_stream
from schemas.errors import EchoPulseError
from tests.echopulse.gateway.nats_server import nats_running

if TYPE_CHECKING:
    from pathlib import Path


async def test_it_is_on_disk_keeps_what_nobody_read_and_refuses_when_full(tmp_path: Path) -> None:
    """The second time nothing changes; another setting is named with its remedy."""
    with nats_running(tmp_path) as server:
        config = NatsConfig(servers=[server.url], max_bytes=1 << 20)
        await ensure_stream(config)
        await ensure_stream(config)
        connection = await connect(config)
        found = (await connection.jetstream().stream_info(config.stream)).config
        assert (found.storage, found.retention) == (StorageType.FILE, RetentionPolicy.INTEREST)
        assert (found.max_bytes, found.duplicate_window, found.discard) == (1 << 20, 120, "new")
        await connection.jetstream().delete_consumer(config.stream, BRIDGE)
        await connection.jetstream().add_consumer(config.stream, ConsumerConfig(durable_name=BRIDGE, max_deliver=3))
        with pytest.raises(EchoPulseError) as raised:
            await ensure_stream(config)
        assert str(raised.value) == (
            "consumer kafka-bridge of social-events exists with ack_wait = 30.0, not 15.0 "
            "(mend it with `nats consumer edit`)"
        )
        with pytest.raises(EchoPulseError) as raised:
            await ensure_stream(config.model_copy(update={"max_bytes": 2 << 20}))
        assert str(raised.value) == (
            "stream social-events exists with max_bytes = 1048576, not 2097152 "
            "(change it with `nats stream edit social-events`, or nats.max_bytes in gateway.yaml)"
        )
        with pytest.raises(EchoPulseError, match="cannot be used: subjects overlap with an existing stream"):
            await ensure_stream(config.model_copy(update={"stream": "other"}))
        await disconnect(connection)


async def test_a_server_without_room(tmp_path: Path) -> None:
    """Its own words are told."""
    with nats_running(tmp_path, "") as server:
        config = NatsConfig(servers=[server.url], replicas=3)
        with pytest.raises(EchoPulseError, match="replicas > 1 not supported in non-clustered mode"):
            await ensure_stream(config)
    assert declared(config).num_replicas == 3
