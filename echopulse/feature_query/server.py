"""The gRPC server of FeatureQuery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from echopulse.feature_query.service import FeatureQuery
from echopulse.rpc_server import ANSWER_BYTES, GRACE_S, MOST_CALLS, REQUEST_BYTES, WORKERS, RpcServer, Tls
from schemas import feature_query_pb2
from schemas.feature_query_pb2_grpc import add_FeatureQueryServicer_to_server

if TYPE_CHECKING:
    from echopulse.feature_query.service import Sources

__all__ = ["ANSWER_BYTES", "GRACE_S", "MOST_CALLS", "NAME", "REQUEST_BYTES", "WORKERS", "FeatureServer", "Tls"]

NAME = feature_query_pb2.DESCRIPTOR.services_by_name["FeatureQuery"].full_name


class FeatureServer(RpcServer):
    """A running server of FeatureQuery."""

    def __init__(self, sources: Sources, host: str, port: int, tls: Tls | None = None) -> None:
        """Listen and serve. Raises EchoPulseError where the port is taken or a certificate cannot be used."""
        service = FeatureQuery(sources)
        services = {NAME: lambda server: add_FeatureQueryServicer_to_server(service, server)}
        super().__init__("FeatureQuery", services, host, port, tls)
