"""The endpoint of metrics: a worker's files and this process's own counters on one page."""

from __future__ import annotations

import socket
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import httpx
import pytest
from prometheus_client import Counter

from echopulse.job.configuration import metrics_folder
from echopulse.job.exporter import clear_metrics, metrics_served, show_services
from echopulse.settings import Settings
from echopulse.settings_sections import EmbeddedStack
from schemas.errors import EchoPulseError
from tests.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

WORKER = """
import sys
import numpy as np
from pipelines.freshness import Freshness, FreshnessSettings
Freshness("channel_1m", FreshnessSettings(10_000, sys.argv[1])).observe(np.array([20_000]), 26_000)
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a port that was free a moment ago."""
    return Settings(home=tmp_path / "home", stack=EmbeddedStack(metrics_port=free_port()))


def page(settings: Settings) -> str:
    """What Prometheus reads."""
    address = f"http://127.0.0.1:{settings.stack.metrics_port}/metrics"
    return httpx.get(address, timeout=10, trust_env=False).raise_for_status().text


def test_workers_and_this_process_are_on_one_page(settings: Settings) -> None:
    """What a worker wrote is read with each request; what earlier ones left can be cleared."""
    with metrics_served(settings) as registry:
        Counter("checks", "Of this process", registry=registry).inc(3)
        assert "feature_freshness_seconds" not in page(settings)
        subprocess.run([sys.executable, "-c", WORKER, str(metrics_folder(settings))], check=True, timeout=60)
        shown = page(settings).splitlines()
        assert 'feature_freshness_seconds_bucket{le="16.0",view="channel_1m"} 1.0' in shown
        assert 'feature_freshness_seconds_bucket{le="15.0",view="channel_1m"} 0.0' in shown
        assert "checks_total 3.0" in shown
        assert not [line for line in shown if "_created" in line]
        clear_metrics(settings)
        assert "feature_freshness_seconds" not in page(settings)
    with pytest.raises(httpx.ConnectError):
        page(settings)


def test_services_are_shown_as_they_are_now(settings: Settings) -> None:
    """Ready, and no longer ready."""
    service = SimpleNamespace(state=SimpleNamespace(phase="ready"))
    with metrics_served(settings) as registry:
        show_services(registry, {"mlflow": service})  # type: ignore[dict-item] # its state is all that is read
        assert 'embedded_service_ready{service="mlflow"} 1.0' in page(settings)
        service.state.phase = "failed"
        assert 'embedded_service_ready{service="mlflow"} 0.0' in page(settings)


def test_a_port_that_is_taken_is_told(settings: Settings) -> None:
    """With the setting that moves it."""
    with (
        socket.create_server(("127.0.0.1", settings.stack.metrics_port)),
        pytest.raises(EchoPulseError) as caught,
        metrics_served(settings),
    ):
        pass
    assert str(caught.value) == (
        f"metrics: port {settings.stack.metrics_port} is taken: Address already in use (set stack.metrics_port)"
    )
