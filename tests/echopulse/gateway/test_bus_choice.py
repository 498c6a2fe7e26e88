"""The bus that is named is the one that is made."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from echopulse.gateway.acknowledged_producer import AcknowledgedProducer
from echopulse.gateway.bus_choice import open_bus, prepare_bus
from echopulse.gateway.gateway_config import GatewayConfig
from echopulse.gateway.jetstream_producer import JetStreamProducer
from echopulse.gateway.nats_connection import connect, disconnect
from echopulse.settings_sections import Kafka
from schemas.errors import EchoPulseError
from tests.echopulse.gateway.nats_server import nats_running

if TYPE_CHECKING:
    from pathlib import Path

_SOURCES = {"feed": {"connector": "sse"}}


async def test_each_bus(bootstrap: str) -> None:
    """Kafka unless another is named."""
    for bus, made in (({}, AcknowledgedProducer), ({"bus": "nats"}, JetStreamProducer)):
        opened = open_bus(GatewayConfig.model_validate({"sources": _SOURCES, **bus}), bootstrap)
        assert type(opened) is made
        await opened.close()


def test_the_stream_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No Kafka is asked for; without the library the extra is named."""
    with nats_running(tmp_path) as server:
        document = {"bus": "nats", "nats": {"servers": [server.url]}, "sources": _SOURCES}
        config = GatewayConfig.model_validate(document)
        prepare_bus(config, Kafka(bootstrap="127.0.0.1:1"))

        async def subjects() -> list[str] | None:
            connection = await connect(config.nats)
            found = (await connection.jetstream().stream_info("social-events")).config.subjects
            await disconnect(connection)
            return found

        assert asyncio.run(subjects()) == ["social.events.>", "social.dlq.>"]
        monkeypatch.setattr("echopulse.gateway.platforms.missing_library.find_spec", lambda _name: None)
        with pytest.raises(EchoPulseError) as raised:
            prepare_bus(config, Kafka())
    assert str(raised.value) == (
        "the bus 'nats' needs the library nats, which is not installed "
        "(install the extra: uv sync --extra nats, or pip install 'echopulse[nats]')"
    )
