"""The gRPC server of ModelRegistry and Analyze."""

from __future__ import annotations

from typing import TYPE_CHECKING

from echopulse.registry.scoring import Scorer
from echopulse.registry.service import Analyze, ModelRegistry
from echopulse.rpc_server import RpcServer
from schemas import model_registry_pb2
from schemas.model_registry_pb2_grpc import add_AnalyzeServicer_to_server, add_ModelRegistryServicer_to_server

if TYPE_CHECKING:
    from pathlib import Path

    from echopulse.rpc_server import Tls
    from echopulse.settings import Settings

_SERVICES = model_registry_pb2.DESCRIPTOR.services_by_name
NAMES = (_SERVICES["ModelRegistry"].full_name, _SERVICES["Analyze"].full_name)


class RegistryServer(RpcServer):
    """A running server of both."""

    def __init__(
        self, settings: Settings, host: str, port: int, tls: Tls | None = None, data: Path | None = None
    ) -> None:
        """Listen and serve. Raises EchoPulseError where the port is taken or a certificate cannot be used."""
        registry, analyze = ModelRegistry(settings, data), Analyze(settings, Scorer())
        services = {
            NAMES[0]: lambda server: add_ModelRegistryServicer_to_server(registry, server),
            NAMES[1]: lambda server: add_AnalyzeServicer_to_server(analyze, server),
        }
        super().__init__("the registry", services, host, port, tls)
