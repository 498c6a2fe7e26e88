"""What is told of a drift, and counted."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from echopulse.drift import alerts
from echopulse.drift.alerts import DriftMetrics, DriftTopic, record
from schemas.errors import EchoPulseError
from transforms.drift_distance import Distance
from transforms.drift_measures import MEASURES
from transforms.drift_monitor import Drift, Monitor, SeriesKey
from transforms.drift_series import Rules, Series, Shift

DRIFT = Drift(
    SeriesKey("toxicity", "twitch", "sha256:ab"),
    "toxicity",
    Shift("distribution", 1_000, 4_000, Distance(0.5, 0.25, 1e-9, 1e-8), 0.2, 0.4),
)


def test_a_record_says_what_where_and_how_much() -> None:
    """The same drift has the same id; another method's is another."""
    told = record(DRIFT)
    assert told == record(DRIFT)
    assert len(str(told.pop("id"))) == 16
    assert told == {
        "ts": 4_000,
        "since": 1_000,
        "task": "toxicity",
        "measure": "toxicity",
        "group": "twitch",
        "model": "sha256:ab",
        "method": "distribution",
        "psi": 0.5,
        "ks": 0.25,
        "probability": 2e-9,
        "mean_before": 0.2,
        "mean_after": 0.4,
    }


def test_drifts_are_counted_and_distances_shown() -> None:
    """Under the names that dashboards know; a series that is learning shows nothing."""
    registry = CollectorRegistry()
    metrics = DriftMetrics(registry)
    metrics.count([DRIFT, DRIFT])
    monitor = Monitor(Rules())
    monitor.series[DRIFT.key] = Series(MEASURES["toxicity"], Rules(), latest=DRIFT.shift.distance)
    monitor.series[SeriesKey("words", "x", "")] = Series(MEASURES["words"], Rules())
    metrics.show(monitor)
    shown = generate_latest(registry).decode()
    assert 'drift_alert_total{model="sha256:ab",task="toxicity"} 2.0' in shown
    assert 'drift_psi{group="twitch",measure="toxicity",model="sha256:ab",task="toxicity"} 0.5' in shown
    assert "words" not in shown


def test_a_broker_that_is_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a time that has a limit."""
    monkeypatch.setattr(alerts, "_TIMEOUT_S", 0.2)
    with pytest.raises(EchoPulseError, match=r"^Kafka at 127\.0\.0\.1:1 does not take a drift: "):
        DriftTopic("127.0.0.1:1").send([DRIFT])
