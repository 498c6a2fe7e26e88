"""What the conformance suite asks of a platform: a server of our own that speaks its protocol to the real library."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from aiohttp import web

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

    import pytest


class Expected(NamedTuple):
    """An event as it should stand in Kafka; of `meta` what is named is compared."""

    id: str
    channel: str
    user: str
    meta: dict[str, str]


class Platform(ABC):
    """A server; a subclass adds its routes to `app` and keeps `sockets` and `asked`.

    `refusal` is how connections are refused while it is set: `rate` or `revoked`.
    """

    connector: ClassVar[str]
    #: Whether what happens while nobody is connected comes afterwards.
    resumes: ClassVar[bool]
    #: What the line says of a token that is no longer good.
    revoked: ClassVar[str]
    #: What it says of too many requests.
    limited: ClassVar[str] = "429"
    secrets: ClassVar[dict[str, str]]

    def __init__(self) -> None:
        """Begin with nobody connected."""
        self.app = web.Application()
        self.sockets: list[web.WebSocketResponse | web.StreamResponse] = []
        self.asked = self.refused = 0
        self.refusal = ""
        self.base = ""
        #: Set to serve by TLS.
        self.tls: ssl.SSLContext | None = None

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        """Listen on a free port."""
        runner = web.AppRunner(self.app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=self.tls)
        await site.start()
        self.base = f"127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield
        finally:
            await runner.cleanup()

    @property
    def http(self) -> str:
        """The address of what is asked for by HTTP."""
        return f"http{'s' if self.tls else ''}://{self.base}"

    @property
    def ws(self) -> str:
        """The address of its websocket."""
        return f"ws{'s' if self.tls else ''}://{self.base}"

    @property
    def connected(self) -> bool:
        """Whether somebody listens."""
        return bool(self.sockets)

    @abstractmethod
    def options(self) -> dict[str, Any]:
        """What the source's `options` are; secrets are in the environment."""

    @abstractmethod
    async def say(self, number: int) -> str:
        """Let a message happen, told to those who are connected or kept for them; returns its id."""

    @abstractmethod
    async def send(self, text: bytes) -> None:
        """Send a frame as it is to those who are connected."""

    async def huge(self, size: int) -> None:
        """Send a frame of so many bytes and a few."""
        await self.send(b'{"text":"%b"}' % (b"x" * size))

    @abstractmethod
    async def every_kind(self) -> list[Expected]:
        """Let one of each kind happen."""

    def patch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Point a library that has no setting for it at this server."""
        del monkeypatch

    def owns(self, task: asyncio.Task[Any]) -> bool:
        """Whether a task is the server's own."""
        return "RequestHandler" in str(task.get_coro())

    async def drop(self) -> None:
        """Cut all connections, without a word."""
        for socket in self.sockets:
            request = getattr(socket, "_req", None)
            if request is not None and request.transport is not None:
                request.transport.abort()
        self.sockets.clear()

    def refuse(self) -> web.Response | None:
        """The answer to who connects while `refusal` is set."""
        if not self.refusal:
            return None
        self.refused += 1
        return self.refused_as(self.refusal)

    @abstractmethod
    def refused_as(self, reason: str) -> web.Response:
        """The platform's own answer to too many requests (`rate`), or to a token that is revoked (`revoked`)."""


def now() -> float:
    """The time in seconds UTC."""
    return time.time()


async def held(socket: web.WebSocketResponse) -> None:
    """Read a socket until its end."""
    async for _message in socket:
        await asyncio.sleep(0)
