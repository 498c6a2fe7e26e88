"""The figures of a bus and of the bridge as Prometheus reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

    from echopulse.gateway.bridge import BridgeFigures
    from echopulse.gateway.bus import Bus

_COUNTERS = {
    "carried": "Messages that Kafka has acknowledged",
    "duplicates": "Messages whose id was carried before",
    "refused": "Messages that became dead letters",
    "redelivered": "Messages that the stream delivered again",
    "reconnects": "Connections made again",
}


class BusCollector:
    """Reads what a bus says of its connection."""

    def __init__(self, bus: Bus) -> None:
        """Keep it."""
        self._bus = bus

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics."""
        yield CounterMetricFamily(
            "gateway_bus_reconnects", "Connections to NATS made again", value=self._bus.reconnects
        )
        yield CounterMetricFamily("gateway_bus_resent", "Messages sent to NATS again", value=self._bus.resent)


class BridgeCollector:
    """Reads the figures when it is asked."""

    def __init__(self, figures: BridgeFigures) -> None:
        """Keep them."""
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics."""
        for name, told in _COUNTERS.items():
            yield CounterMetricFamily(f"bridge_{name}", told, value=getattr(self._figures, name))
        yield GaugeMetricFamily("bridge_waiting", "Messages in the stream for the bridge", value=self._figures.waiting)
