"""An HTTP server in the event loop of the gateway, by uvicorn: it begins and ends with its connector."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from starlette.types import ASGIApp

_CONNECTIONS, _IDLE_S, _LEAVING_S = 1_000, 30, 5
#: How long a request may take to be known: uvicorn itself waits for a head that comes byte by byte without end.
HEAD_S = 10.0


class _Server(uvicorn.Server):
    """Leaves the signals of the process to the gateway."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def _prompt(head_s: float) -> type[H11Protocol]:
    """Return connections that are closed where the head of a request takes longer than `head_s` seconds."""

    class Prompt(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
            super().connection_made(transport)
            self._late = self.loop.call_later(head_s, transport.abort)

        def data_received(self, data: bytes) -> None:
            if self._late.cancelled():
                self._late = self.loop.call_later(head_s, self.transport.abort)
            super().data_received(data)
            cycle: RequestResponseCycle | None = self.cycle  # None before the first request
            if cycle is not None and not cycle.response_complete:
                self._late.cancel()

        def on_response_complete(self) -> None:
            self._late.cancel()
            super().on_response_complete()

        def connection_lost(self, exc: Exception | None) -> None:
            self._late.cancel()
            super().connection_lost(exc)

    return Prompt


def bound(host: str, port: int) -> socket.socket:
    """Return a socket at an address. Raises EchoPulseError where it is taken or not this machine's."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise EchoPulseError(f"{host}:{port} cannot be listened at: {os.strerror(error.errno or 0)}") from error


@asynccontextmanager
async def listening(door: socket.socket, app: ASGIApp, head_s: float = HEAD_S) -> AsyncGenerator[None, None]:
    """Serve until the block ends, then let what is being answered go on for a few seconds."""
    config = uvicorn.Config(
        app,
        http=_prompt(head_s),
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
