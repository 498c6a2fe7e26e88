"""Metrics for Prometheus: what the workers of this host left in their files, and what this process counts itself."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Gauge, disable_created_metrics, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector

from echopulse.job.configuration import metrics_folder
from pipelines.freshness import host_folder
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from echopulse.settings import Settings
    from echopulse.stack import Service

_HOST = "127.0.0.1"
_END_S = 5.0


@contextmanager
def metrics_served(settings: Settings) -> Iterator[CollectorRegistry]:
    """Serve `http://127.0.0.1:<stack.metrics_port>/metrics`; what is registered with the registry is shown too.

    Raises EchoPulseError where the port is taken.
    """
    folder = host_folder(str(metrics_folder(settings)))
    folder.mkdir(parents=True, exist_ok=True)
    with served(settings.stack.metrics_port, "stack.metrics_port") as registry:
        MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call] # the library has few types
        yield registry


@contextmanager
def served(port: int, setting: str) -> Iterator[CollectorRegistry]:
    """Serve what is registered with the registry at a port of this machine; raises EchoPulseError where it is taken."""
    disable_created_metrics()  # type: ignore[no-untyped-call] # a second series for each, that nobody asks for
    registry = CollectorRegistry()
    try:
        server, thread = start_http_server(port, _HOST, registry)
    except OSError as error:
        raise EchoPulseError(f"metrics: port {port} is taken: {error.strerror}", f"set {setting}") from error
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join(_END_S)


def show_services(registry: CollectorRegistry, services: Mapping[str, Service]) -> None:
    """Show of each embedded service whether it was ready when it was last looked at."""
    gauge = Gauge("embedded_service_ready", "1 while the service is ready", ["service"], registry=registry)
    for name, service in services.items():
        gauge.labels(name).set_function(partial(_ready, service))


def _ready(service: Service) -> float:
    return float(service.state.phase == "ready")


def clear_metrics(settings: Settings) -> None:
    """Remove what the workers of earlier jobs left on this host. None may be running."""
    for file in host_folder(str(metrics_folder(settings))).glob("*.db"):
        file.unlink()
