"""The gateway's figures as Prometheus reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from echopulse.gateway.source_figures import LAG_BOUNDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client import Metric

    from echopulse.gateway.source_figures import SourceFigures

_SOURCE = ["source"]


class GatewayCollector:
    """Reads the figures when it is asked; between, a metric costs nothing."""

    def __init__(self, figures: Callable[[], Mapping[str, SourceFigures]]) -> None:
        """Keep where they are."""
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics."""
        figures = dict(self._figures())
        lag = HistogramMetricFamily(
            "event_ingest_lag_seconds", "From an event's own time to Kafka's acknowledgement", labels=_SOURCE
        )
        bounds = [*(str(bound) for bound in LAG_BOUNDS), "+Inf"]
        for name, of in figures.items():
            counts = np.cumsum(of.lags).tolist()
            lag.add_metric([name], list(zip(bounds, counts, strict=True)), of.lag_sum_s)
        yield lag
        gauges = {
            "gateway_queue_events": ("Frames and events in memory", "queue_events"),
            "gateway_queue_bytes": ("Bytes of them", "queue_bytes"),
            "gateway_spool_bytes": ("Bytes in the disk spool", "spool_bytes"),
        }
        for metric, (told, field) in gauges.items():
            gauge = GaugeMetricFamily(metric, told, labels=_SOURCE)
            for name, of in figures.items():
                gauge.add_metric([name], getattr(of, field))
            yield gauge
        dropped = CounterMetricFamily("gateway_dropped", "Events that were dropped", labels=["source", "reason"])
        reconnects = CounterMetricFamily("gateway_reconnects", "Connections made again", labels=_SOURCE)
        gaps = CounterMetricFamily(
            "ingest_gaps", "Connections that could not go on where the one before ended", labels=_SOURCE
        )
        torn = CounterMetricFamily("gateway_spool_torn_bytes", "Bytes cut from a damaged spool", labels=_SOURCE)
        for name, of in figures.items():
            torn.add_metric([name], of.spool_torn_bytes)
            reconnects.add_metric([name], of.reconnects)
            gaps.add_metric([name], of.gaps)
            for reason, count in dict(of.dropped).items():
                dropped.add_metric([name, reason], count)
        yield dropped
        yield reconnects
        yield gaps
        yield torn
