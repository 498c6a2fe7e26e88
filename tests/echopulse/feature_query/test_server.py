"""The server: health, reflection, TLS, and how it ends."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from echopulse.feature_query.server import NAME, FeatureServer, Tls
from echopulse.feature_query.service import Sources
from schemas import feature_query_pb2 as messages
from schemas.errors import EchoPulseError
from schemas.feature_query_pb2_grpc import FeatureQueryStub
from tests.echopulse.feature_query.certificates import write_certificates

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

DEADLINE_S = 30
REQUEST = messages.AsOfRequest(
    features=messages.Features(view="talk_1m"),
    entities=[messages.Entity(keys={"channel_id": "c:1"})],
    at={"seconds": 1_700_000_000},
)


def test_health_is_told_and_the_service_describes_itself(channel: grpc.Channel) -> None:
    """By the standard protocols, so that any probe and grpcurl understand it."""
    assert NAME == "contracts.FeatureQuery"
    health = health_pb2_grpc.HealthStub(channel)
    for name in ("", NAME):
        answer = health.Check(health_pb2.HealthCheckRequest(service=name), timeout=DEADLINE_S)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    reflection = reflection_pb2_grpc.ServerReflectionStub(channel)
    question = reflection_pb2.ServerReflectionRequest(list_services="")
    (answer,) = reflection.ServerReflectionInfo(iter([question]), timeout=DEADLINE_S)
    assert NAME in {service.name for service in answer.list_services_response.service}


def test_calls_that_run_end_before_the_server_does(sources: Sources) -> None:
    """It says first that it is going."""
    entered, go_on = threading.Event(), threading.Event()

    class Slow:
        """Rows that come when they are told to."""

        def between(self, *arguments: Any) -> pa.Table:  # noqa: ANN401 - passed on as they are
            """Wait, then read as the lake does."""
            entered.set()
            assert go_on.wait(DEADLINE_S)
            return sources.past.between(*arguments)

    slow = Sources(sources.catalogue, sources.online, sources.project, Slow(), 0)
    server = FeatureServer(slow, "127.0.0.1", 0)
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        health = health_pb2_grpc.HealthStub(channel)
        watching = health.Watch(health_pb2.HealthCheckRequest(service=NAME), timeout=DEADLINE_S)
        assert next(watching).status == health_pb2.HealthCheckResponse.SERVING
        running = FeatureQueryStub(channel).ReadAsOf.future(REQUEST, timeout=DEADLINE_S)
        assert entered.wait(DEADLINE_S)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        assert next(watching).status == health_pb2.HealthCheckResponse.NOT_SERVING
        watching.cancel()
        go_on.set()
        assert len(running.result(DEADLINE_S).rows) == 1
        stopping.join(DEADLINE_S)
        assert not stopping.is_alive()
        with pytest.raises(grpc.RpcError) as raised:
            FeatureQueryStub(channel).ReadAsOf(REQUEST, timeout=DEADLINE_S)
        assert raised.value.code() == grpc.StatusCode.UNAVAILABLE


def _client(folder: Path, port: int, name: str | None) -> grpc.Channel:
    key, certificate = (
        (None, None) if name is None else ((folder / f"{name}.key").read_bytes(), (folder / f"{name}.crt").read_bytes())
    )
    credentials = grpc.ssl_channel_credentials((folder / "ca.crt").read_bytes(), key, certificate)
    return grpc.secure_channel(f"127.0.0.1:{port}", credentials)


@pytest.mark.parametrize(
    ("mutual", "name", "served"),
    [
        (False, None, True),
        (True, "client", True),
        (True, None, False),
        (True, "stranger", False),
    ],
)
def test_with_an_authority_only_its_clients_are_served(
    sources: Sources, tmp_path: Path, *, mutual: bool, name: str | None, served: bool
) -> None:
    """Without one, TLS protects the way and anybody may ask."""
    write_certificates(tmp_path)
    tls = Tls(tmp_path / "server.crt", tmp_path / "server.key", tmp_path / "ca.crt" if mutual else None)
    with FeatureServer(sources, "127.0.0.1", 0, tls) as server, _client(tmp_path, server.port, name) as channel:
        query = FeatureQueryStub(channel)
        if served:
            assert len(query.ReadAsOf(REQUEST, timeout=DEADLINE_S).rows) == 1
            return
        with pytest.raises(grpc.RpcError) as raised:
            query.ReadAsOf(REQUEST, timeout=DEADLINE_S)
        assert raised.value.code() == grpc.StatusCode.UNAVAILABLE


def test_a_port_that_is_taken_and_files_that_are_not_there_are_told(
    server: FeatureServer, sources: Sources, tmp_path: Path
) -> None:
    """In one line."""
    with pytest.raises(EchoPulseError, match=f"FeatureQuery cannot listen on 127.0.0.1:{server.port}"):
        FeatureServer(sources, "127.0.0.1", server.port)
    with pytest.raises(EchoPulseError) as raised:
        FeatureServer(sources, "127.0.0.1", 0, Tls(tmp_path / "no.crt", tmp_path / "no.key"))
    assert str(raised.value) == (
        f"{tmp_path}/no.key cannot be read: No such file or directory (a certificate or key in PEM)"
    )
