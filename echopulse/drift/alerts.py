"""A drift told: one JSON record on `model.drift`, and a counter for Prometheus.

JSON, not Avro as the results are: whoever starts a training for it, Airflow first, reads it without EchoPulse.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import orjson
from confluent_kafka import KafkaException, Producer
from prometheus_client import Counter, Gauge

from schemas.errors import EchoPulseError
from schemas.topics import MODEL_DRIFT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prometheus_client import CollectorRegistry

    from transforms.drift_monitor import Drift, Monitor

_TIMEOUT_S = 30.0


def record(drift: Drift) -> dict[str, object]:
    """Return what is told of a drift; times are ms UTC. The same drift found again has the same `id`."""
    key, shift = drift.key, drift.shift
    named = "\n".join((*key, shift.method, str(shift.since_ms)))
    return {
        "id": hashlib.sha256(named.encode()).hexdigest()[:16],
        "ts": shift.ts_ms,
        "since": shift.since_ms,
        "task": drift.task,
        "measure": key.measure,
        "group": key.group,
        "model": key.model,
        "method": shift.method,
        "psi": round(shift.distance.psi, 6),
        "ks": round(shift.distance.ks, 6),
        "probability": shift.distance.p,
        "mean_before": round(shift.mean_before, 6),
        "mean_after": round(shift.mean_after, 6),
    }


class DriftMetrics:
    """What the watcher shows; labels are tasks, models, measures and groups, never a channel or a user."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Show them in a registry."""
        self._alerts = Counter("drift_alert", "Drifts told", ["task", "model"], registry=registry)
        self._psi = Gauge(
            "drift_psi",
            "Population stability index of the latest pane against its baseline",
            ["task", "measure", "group", "model"],
            registry=registry,
        )

    def count(self, drifts: Sequence[Drift]) -> None:
        """Count drifts."""
        for drift in drifts:
            self._alerts.labels(drift.task, drift.key.model).inc()

    def show(self, monitor: Monitor) -> None:
        """Show how far each series lies from its baseline."""
        for key, series in monitor.series.items():
            if series.latest is not None:
                self._psi.labels(series.measure.task, key.measure, key.group, key.model).set(series.latest.psi)


class DriftTopic:
    """Sends records to `model.drift`; each call returns once the broker has them."""

    def __init__(self, bootstrap: str) -> None:
        """Prepare a producer; nothing is sent yet."""
        self._bootstrap = bootstrap
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "message.timeout.ms": int(_TIMEOUT_S * 1_000),
            }
        )

    def send(self, drifts: Sequence[Drift]) -> None:
        """Send drifts, keyed by task and group; raises EchoPulseError where the broker does not take one."""
        failed: list[str] = []
        for drift in drifts:
            told = record(drift)
            try:
                self._producer.produce(
                    MODEL_DRIFT,
                    orjson.dumps(told),
                    f"{drift.task}/{drift.key.group}".encode(),
                    timestamp=drift.shift.ts_ms,
                    on_delivery=lambda error, _: failed.append(str(error)) if error else None,
                )
            except (KafkaException, BufferError) as error:
                raise self._refused(str(error)) from error
        left = self._producer.flush(2 * _TIMEOUT_S)
        if failed or left:
            raise self._refused(failed[0] if failed else "no answer")

    def _refused(self, reason: str) -> EchoPulseError:
        return EchoPulseError(f"Kafka at {self._bootstrap} does not take a drift: {reason}", "see `echopulse status`")
