"""An HTTP server in the event loop of the gateway, by uvicorn: it begins and ends with its connector."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import uvicorn

from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from starlette.types import ASGIApp

_CONNECTIONS, _IDLE_S, _LEAVING_S = 1_000, 30, 5


class _Server(uvicorn.Server):
    """Leaves the signals of the process to the gateway."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def bound(host: str, port: int) -> socket.socket:
    """Return a socket at an address. Raises EchoPulseError where it is taken or not this machine's."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise EchoPulseError(f"{host}:{port} cannot be listened at: {os.strerror(error.errno or 0)}") from error


@asynccontextmanager
async def listening(door: socket.socket, app: ASGIApp) -> AsyncGenerator[None, None]:
    """Serve until the block ends, then let what is being answered go on for a few seconds."""
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=_IDLE_S,
        timeout_graceful_shutdown=_LEAVING_S,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[door]))
    try:
        yield
    finally:
        server.should_exit = True
        await task
        door.close()
