"""Figures under their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest

from echopulse.gateway.acknowledged_producer import AcknowledgedProducer
from echopulse.gateway.bridge import BridgeFigures
from echopulse.gateway.bus_metrics import BridgeCollector, BusCollector

if TYPE_CHECKING:
    from prometheus_client.registry import Collector


def _written(collector: Collector) -> set[str]:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    return {line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")}


def test_the_bridge() -> None:
    """Counters, and what waits."""
    figures = BridgeFigures(carried=5, duplicates=1, refused=2, redelivered=3, reconnects=4, waiting=6)
    assert _written(BridgeCollector(figures)) == {
        "bridge_carried_total 5.0",
        "bridge_duplicates_total 1.0",
        "bridge_refused_total 2.0",
        "bridge_redelivered_total 3.0",
        "bridge_reconnects_total 4.0",
        "bridge_waiting 6.0",
    }


async def test_a_bus(bootstrap: str) -> None:
    """Its connection."""
    bus = AcknowledgedProducer(bootstrap)
    bus.reconnects, bus.resent = 2, 7
    assert _written(BusCollector(bus)) == {"gateway_bus_reconnects_total 2.0", "gateway_bus_resent_total 7.0"}
    await bus.close()
