"""A gRPC server as all of ours are: health checking and reflection, bounded, with or without mutual TLS."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Calls that are answered at once, and those that may wait beside them; more are refused as RESOURCE_EXHAUSTED.
WORKERS = 8
MOST_CALLS = 64
#: A question of a thousand entities, or of a thousand texts, is below it.
REQUEST_BYTES = 1024 * 1024
ANSWER_BYTES = 16 * 1024 * 1024
#: How long calls may go on when the server is told to stop.
GRACE_S = 10.0
_KEEPALIVE_MS = 30_000


@dataclass(frozen=True)
class Tls:
    """The server's certificate chain and key, and the authority that clients' certificates must come from (PEM)."""

    certificate: Path
    key: Path
    client_authority: Path | None = None

    def credentials(self) -> grpc.ServerCredentials:
        """Read the files. Raises EchoPulseError naming the one that cannot be read."""
        authority = None if self.client_authority is None else _read(self.client_authority)
        return grpc.ssl_server_credentials(
            [(_read(self.key), _read(self.certificate))],
            root_certificates=authority,
            require_client_auth=authority is not None,
        )


class RpcServer:
    """A running server of services by their full names, on `port`. Used as a context it stops in order at the end."""

    def __init__(
        self,
        called: str,
        services: dict[str, Callable[[grpc.Server], None]],
        host: str,
        port: int,
        tls: Tls | None = None,
    ) -> None:
        """Listen and serve. Raises EchoPulseError where the port is taken or a certificate cannot be used."""
        self._server = grpc.server(
            ThreadPoolExecutor(WORKERS, thread_name_prefix=called),
            maximum_concurrent_rpcs=MOST_CALLS,
            options=[
                ("grpc.max_receive_message_length", REQUEST_BYTES),
                ("grpc.max_send_message_length", ANSWER_BYTES),
                ("grpc.so_reuseport", 0),
                ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
            ],
        )
        self._health = health.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        for add in services.values():
            add(self._server)
        reflection.enable_server_reflection((*services, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server)
        self.port = _listen(called, self._server, f"{host}:{port}", tls)
        self._server.start()
        for name in ("", *services):
            self._health.set(name, health_pb2.HealthCheckResponse.SERVING)

    def stop(self, grace_s: float = GRACE_S) -> None:
        """Say that it is going, take no new calls, let those that run end within the grace, and return when all has."""
        self._health.enter_graceful_shutdown()
        self._server.stop(grace_s).wait()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()


def _listen(called: str, server: grpc.Server, address: str, tls: Tls | None) -> int:
    try:
        port: int = (
            server.add_insecure_port(address) if tls is None else server.add_secure_port(address, tls.credentials())
        )
    except RuntimeError as error:
        raise EchoPulseError(
            f"{called} cannot listen on {address}",
            "another server has the port, or the certificate does not fit its key; --port takes another",
        ) from error
    return port


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise EchoPulseError(f"{path} cannot be read: {error.strerror}", "a certificate or key in PEM") from error
