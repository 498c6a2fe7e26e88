"""The bus that a gateway.yaml names."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from echopulse.gateway.acknowledged_producer import AcknowledgedProducer
from echopulse.gateway.declaration import read_declaration
from echopulse.gateway.nats_config import NatsConfig
from echopulse.gateway.platforms.missing_library import require
from echopulse.gateway.topics_admin import ensure_topics
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path

    from echopulse.gateway.bus import Bus
    from echopulse.gateway.gateway_config import GatewayConfig
    from echopulse.settings_sections import Kafka


class _BridgePart(BaseModel):
    """What the bridge reads of a gateway.yaml: its sources, and their secrets, are the gateway's."""

    model_config = ConfigDict(extra="ignore")

    bus: str = "kafka"
    nats: NatsConfig = NatsConfig()


def prepare_bus(config: GatewayConfig, kafka: Kafka) -> None:
    """Create the topics, or the stream, where they are missing. Raises EchoPulseError as ensure_topics does."""
    if config.bus == "kafka":
        ensure_topics(kafka.bootstrap, replication=kafka.replication)
    else:
        prepare_stream(config.nats)


def prepare_stream(config: NatsConfig) -> None:
    """Create stream and consumer where they are missing. Raises EchoPulseError, also where the client is missing."""
    require("nats", "nats", "the bus 'nats'")
    from echopulse.gateway.nats_stream import ensure_stream  # noqa: PLC0415 its library is an extra

    asyncio.run(ensure_stream(config))


def open_bus(config: GatewayConfig, bootstrap: str) -> Bus:
    """Return the bus, which connects by and by; for the running event loop."""
    if config.bus == "kafka":
        return AcknowledgedProducer(bootstrap)
    from echopulse.gateway.jetstream_producer import JetStreamProducer  # noqa: PLC0415 its library is an extra

    return JetStreamProducer(config.nats)


def read_bridge(path: Path) -> NatsConfig:
    """Return the part `nats` of a gateway.yaml whose bus it is. Raises EchoPulseError."""
    found = read_declaration(path, _BridgePart)
    if found.bus != "nats":
        raise EchoPulseError(f"{path}: bus is {found.bus}, so there is nothing to carry to Kafka", "set bus: nats")
    return found.nats
