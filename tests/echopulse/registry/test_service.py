"""The calls where no MLflow answers, and who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest
import trustme
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from echopulse.registry.server import NAMES, RegistryServer
from echopulse.rpc_server import Tls
from echopulse.settings import Settings
from echopulse.settings_sections import Tracking
from schemas import model_registry_pb2 as messages
from schemas.model_registry_pb2_grpc import AnalyzeStub, ModelRegistryStub

if TYPE_CHECKING:
    from pathlib import Path

_DEADLINE_S = 30


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings whose MLflow is away."""
    return Settings(home=tmp_path / "home", tracking=Tracking(uri="http://127.0.0.1:1"))


def test_it_describes_itself_and_says_that_mlflow_is_away(settings: Settings) -> None:
    """Health and reflection are on; a call that another time may go through is UNAVAILABLE."""
    with (
        RegistryServer(settings, "127.0.0.1", 0) as server,
        grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        health = health_pb2_grpc.HealthStub(channel)
        for name in NAMES:
            answer = health.Check(health_pb2.HealthCheckRequest(service=name), timeout=_DEADLINE_S)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        question = reflection_pb2.ServerReflectionRequest(list_services="")
        reflection = reflection_pb2_grpc.ServerReflectionStub(channel)
        (told,) = reflection.ServerReflectionInfo(iter([question]), timeout=_DEADLINE_S)
        assert set(NAMES) <= {service.name for service in told.list_services_response.service}
        with pytest.raises(grpc.RpcError) as raised:
            ModelRegistryStub(channel).ListModels(messages.TaskRequest(), timeout=_DEADLINE_S)
        assert raised.value.code() == grpc.StatusCode.UNAVAILABLE
        assert raised.value.details().startswith("MLflow at http://127.0.0.1:1 is away: ")
        with pytest.raises(grpc.RpcError) as raised:
            AnalyzeStub(channel).Score(messages.ScoreRequest(reference="hate", texts=["x"]), timeout=_DEADLINE_S)
        assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_nobody_approves_in_another_ones_name(settings: Settings, tmp_path: Path) -> None:
    """With mutual TLS the certificate says who it is."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.crt"))
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(str(tmp_path / "server.key"))
    issued.cert_chain_pems[0].write_to_path(str(tmp_path / "server.crt"))
    ada = authority.issue_cert("127.0.0.1", common_name="ada")
    credentials = grpc.ssl_channel_credentials(
        authority.cert_pem.bytes(), ada.private_key_pem.bytes(), ada.cert_chain_pems[0].bytes()
    )
    tls = Tls(tmp_path / "server.crt", tmp_path / "server.key", tmp_path / "ca.crt")
    with (
        RegistryServer(settings, "127.0.0.1", 0, tls) as server,
        grpc.secure_channel(f"127.0.0.1:{server.port}", credentials) as channel,
    ):
        registry = ModelRegistryStub(channel)
        for call, request in (
            (registry.Promote, messages.PromoteRequest(reference="hate@challenger", approver="grace")),
            (registry.Rollback, messages.RollbackRequest(task="hate", by="grace")),
        ):
            with pytest.raises(grpc.RpcError) as raised:
                call(request, timeout=_DEADLINE_S)
            assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT
            assert raised.value.details() == "the certificate is that of 'ada', not of 'grace'"
        with pytest.raises(grpc.RpcError) as raised:
            registry.Rollback(messages.RollbackRequest(task="hate", by="ada"), timeout=_DEADLINE_S)
        assert raised.value.code() == grpc.StatusCode.UNAVAILABLE
