"""`echopulse ingest bridge`: from NATS JetStream to Kafka."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from echopulse.cli.context import NO_OPTIONS, GlobalOptions

if TYPE_CHECKING:
    from echopulse.gateway.bridge import BridgeFigures
    from echopulse.gateway.nats_config import NatsConfig


def bridge(
    *,
    gateway: Annotated[Path, Parameter(name="--gateway")] = Path("gateway.yaml"),
    options: GlobalOptions = NO_OPTIONS,
) -> None:
    """Carry events from NATS JetStream to Kafka, until Ctrl-C.

    For gateways with `bus: nats`. Each channel's order is kept, an event
    goes over once, and leaves the stream when Kafka has it.

    Parameters
    ----------
    gateway
        The file whose part `nats` says where; see docs/bus.md.
    """
    import uvloop

    from echopulse.cli.output import emit
    from echopulse.gateway.bus_choice import prepare_stream, read_bridge
    from echopulse.gateway.topics_admin import ensure_topics

    kafka = options.settings().kafka
    config = read_bridge(gateway)
    ensure_topics(kafka.bootstrap, replication=kafka.replication)
    prepare_stream(config)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        figures = runner.run(_bridge(config, kafka.bootstrap))
    emit(asdict(figures), options.json, lambda: _told(figures))


async def _bridge(config: NatsConfig, bootstrap: str) -> BridgeFigures:
    from prometheus_client import CollectorRegistry, start_http_server

    from echopulse.cli.stop_signal import stopped_by_signal
    from echopulse.gateway.acknowledged_producer import AcknowledgedProducer
    from echopulse.gateway.bridge import Bridge
    from echopulse.gateway.bus_metrics import BridgeCollector

    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    producer = AcknowledgedProducer(bootstrap)
    server = None
    try:
        carrying = Bridge(config, producer)
        if config.bridge_metrics_port:
            registry = CollectorRegistry(auto_describe=False)
            registry.register(BridgeCollector(carrying.figures))
            server, _thread = start_http_server(config.bridge_metrics_port, "127.0.0.1", registry)
        with stopped_by_signal(lambda: loop.call_soon_threadsafe(stop.set)):
            await carrying.run(stop)
        return carrying.figures
    finally:
        if server is not None:
            server.shutdown()
            server.server_close()
        await producer.close()


def _told(figures: BridgeFigures) -> str:
    from echopulse.cli.output import counted

    return (
        f"{counted(figures.carried, 'event')} carried to Kafka, {counted(figures.duplicates, 'repeat')}, "
        f"{counted(figures.refused, 'dead letter')}, {counted(figures.reconnects, 'reconnect')}"
    )
