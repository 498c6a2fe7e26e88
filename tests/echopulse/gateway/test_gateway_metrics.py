"""The metrics' names and values."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from echopulse.gateway.gateway_metrics import GatewayCollector
from echopulse.gateway.source_figures import SourceFigures


def test_every_figure_has_its_name() -> None:
    """As the dashboards ask for them."""
    figures = SourceFigures(queue_events=3, queue_bytes=40, spool_bytes=5, spool_torn_bytes=9, reconnects=2)
    figures.dropped["rate"] += 7
    figures.observe([1_000, 750, 5_000], 1_000)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(GatewayCollector(lambda: {"chat": figures}))
    lines = set(generate_latest(registry).decode().splitlines())
    assert {
        'event_ingest_lag_seconds_bucket{le="0.005",source="chat"} 2.0',
        'event_ingest_lag_seconds_bucket{le="0.025",source="chat"} 2.0',
        'event_ingest_lag_seconds_bucket{le="0.25",source="chat"} 3.0',
        'event_ingest_lag_seconds_count{source="chat"} 3.0',
        'event_ingest_lag_seconds_sum{source="chat"} 0.25',
        'gateway_queue_events{source="chat"} 3.0',
        'gateway_queue_bytes{source="chat"} 40.0',
        'gateway_spool_bytes{source="chat"} 5.0',
        'gateway_dropped_total{reason="rate",source="chat"} 7.0',
        'gateway_reconnects_total{source="chat"} 2.0',
        'gateway_spool_torn_bytes_total{source="chat"} 9.0',
    } <= lines
