"""`echopulse ingest bridge`, from a real JetStream to librdkafka's own broker."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from typing import TYPE_CHECKING

from echopulse.cli.ingest_bridge import _bridge, _told
from echopulse.cli.main import main
from echopulse.gateway.jetstream_producer import JetStreamProducer
from echopulse.gateway.nats_config import NatsConfig
from echopulse.gateway.nats_connection import connect, disconnect
from echopulse.gateway.nats_stream import ensure_stream
from echopulse.gateway.outgoing import Outgoing
from schemas.social_event_pb2 import SocialEvent
from schemas.topics import EVENTS
from tests.echopulse.gateway.nats_server import nats_running

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


async def _publish(config: NatsConfig, count: int) -> None:
    await ensure_stream(config)
    bus = JetStreamProducer(config)
    events = [SocialEvent(id=f"e{n}", channel_id="c").SerializeToString() for n in range(count)]
    async with asyncio.timeout(30):
        assert await bus.send([Outgoing(EVENTS, b"c", value, 1_700_000_000_000) for value in events]) == []
    await bus.close()


async def _left(config: NatsConfig) -> int:
    connection = await connect(config)
    found = (await connection.jetstream().stream_info(config.stream)).state.messages
    await disconnect(connection)
    return found


def test_it_carries_until_a_signal(tmp_path: Path, bootstrap: str) -> None:
    """And reports what it did."""
    with nats_running(tmp_path) as server:
        config = NatsConfig(servers=[server.url], bridge_metrics_port=0)
        asyncio.run(_publish(config, 20))

        def end_when_empty() -> None:
            deadline = time.monotonic() + 60
            while asyncio.run(_left(config)) and time.monotonic() < deadline:
                time.sleep(0.1)
            os.kill(os.getpid(), signal.SIGINT)

        watching = threading.Thread(target=end_when_empty)
        watching.start()
        figures = asyncio.run(_bridge(config, bootstrap))
        watching.join()
        assert asyncio.run(_left(config)) == 0
    assert (figures.carried, figures.duplicates, figures.refused, figures.state) == (20, 0, 0, "stopped")
    assert _told(figures) == "20 events carried to Kafka, 0 repeats, 0 dead letters, 0 reconnects"


def test_a_gateway_on_kafka_needs_no_bridge(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Said in one line."""
    path = tmp_path / "gateway.yaml"
    path.write_text("sources: {}\n")
    assert main(["ingest", "bridge", "--gateway", str(path)]) == 1
    assert f"{path}: bus is kafka, so there is nothing to carry to Kafka (set bus: nats)" in capsys.readouterr().err
