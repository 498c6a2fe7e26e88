"""The generic ways in: any websocket, any stream of server-sent events."""

from __future__ import annotations

import asyncio
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import orjson
import yaml
from aiohttp import web

from tests.echopulse.gateway.platforms.platform import Expected, Platform, held

_MAPPING = {
    "source": "",
    "id": "id",
    "ts": {"path": "t", "format": "iso"},
    "channel": {"constant": "lobby"},
    "user": {"constant": "ann"},
    "text": {"path": "text", "default": ""},
    "metadata": {"kind": "kind"},
}


class _Plain(Platform):
    secrets: ClassVar[dict[str, str]] = {"TOKEN": "Bearer secret"}
    revoked, path = "answered 401 Unauthorized", "/stream"

    def __init__(self) -> None:
        super().__init__()
        self.log: list[bytes] = []
        self.app.router.add_get(self.path, self._stream)

    def options(self) -> dict[str, Any]:
        """As Platform's."""
        mapping = Path(tempfile.mkdtemp()) / "m.yaml"
        mapping.write_text(yaml.safe_dump(_MAPPING | {"source": self.connector}))
        url = f"{self.ws if self.connector == 'websocket' else self.http}{self.path}"
        return {"url": url, "mapping": str(mapping), "headers": {"Authorization": "env:TOKEN"}}

    def refused_as(self, reason: str) -> web.Response:
        """As Platform's."""
        if reason == "rate":
            return web.Response(status=429, headers={"Retry-After": "1"})
        return web.Response(status=401)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        assert request.headers["Authorization"] == "Bearer secret"
        self.asked += 1
        return self.refuse() or await self.streamed(request)

    async def streamed(self, request: web.Request) -> web.StreamResponse:
        """Send until the connection ends."""
        raise NotImplementedError

    async def told(self, own: str, kind: str) -> str:
        """Let something happen; returns its id."""
        await self.send(orjson.dumps({"id": own, "t": datetime.now(UTC).isoformat(), "text": "hi", "kind": kind}))
        return own

    async def send(self, text: bytes) -> None:
        """As Platform's."""
        self.log.append(text)
        for socket in self.sockets:
            await self.sent(socket, len(self.log))

    async def sent(self, socket: Any, number: int) -> None:  # noqa: ANN401 either response
        """Send what happened as number so and so, from 1."""
        raise NotImplementedError

    async def say(self, number: int) -> str:
        """As Platform's."""
        return await self.told(f"e{number}", "message")

    async def every_kind(self) -> list[Expected]:
        """As Platform's."""
        kinds = ("message", "edit", "transcript", "reaction", "delete")
        return [Expected(await self.told(f"k-{kind}", kind), "lobby", "ann", {"kind": kind}) for kind in kinds]


class WebSocket(_Plain):
    """Keeps nothing for who is not connected."""

    connector, resumes = "websocket", False

    async def streamed(self, request: web.Request) -> web.StreamResponse:
        """As _Plain's."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        await held(socket)
        if socket in self.sockets:
            self.sockets.remove(socket)
        return socket

    async def sent(self, socket: Any, number: int) -> None:  # noqa: ANN401 either response
        """As _Plain's."""
        await socket.send_str(self.log[number - 1].decode())


class Sse(_Plain):
    """Goes on behind the id that it is told."""

    connector, resumes = "sse", True

    async def streamed(self, request: web.Request) -> web.StreamResponse:
        """As _Plain's."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for number in range(int(request.headers.get("Last-Event-ID", len(self.log))) + 1, len(self.log) + 1):
            await self.sent(response, number)
        self.sockets.append(response)
        while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110 aiohttp tells nothing else
            await asyncio.sleep(0.05)
        if response in self.sockets:
            self.sockets.remove(response)
        return response

    async def sent(self, socket: Any, number: int) -> None:  # noqa: ANN401 either response
        """As _Plain's."""
        await socket.write(b"id: %d\ndata: %s\n\n" % (number, self.log[number - 1]))
