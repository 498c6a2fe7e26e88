"""Discord's gateway: its streams of zstd or zlib, hello, identify, heartbeats, and a session that is resumed."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

import orjson
import zstandard
from aiohttp import web
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from tests.echopulse.gateway.platforms.platform import Expected, Platform, now

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

_CHANNEL, _GUILD, _ANN, _BEN = "29", "28", "53", "54"


def _json(document: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    # The library compares the whole header.
    told = {"Content-Type": "application/json", **(headers or {})}
    return web.Response(body=orjson.dumps(document), status=status, headers=told)


def _packing(form: str) -> Callable[[bytes], bytes]:
    """One stream a connection, flushed behind each frame: zstd where the library finds it, zlib otherwise."""
    if form == "zstd-stream":
        zstd = zstandard.ZstdCompressor().compressobj()
        return lambda data: zstd.compress(data) + zstd.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
    assert form == "zlib-stream"
    packer = zlib.compressobj()
    return lambda data: packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)


class Discord(Platform):
    """Keeps all dispatches of its one session; `keeps` false: it no longer knows it."""

    connector, resumes, revoked = "discord", True, "answered 401 Unauthorized"
    secrets: ClassVar[dict[str, str]] = {"DISCORD_TOKEN": "secret-bot-token"}

    def __init__(self) -> None:
        """Set the routes."""
        super().__init__()
        self.log: list[bytes] = []
        self.session, self.keeps, self.close_code = 0, True, 0
        self.opened: list[str] = []
        self._packers: dict[int, Callable[[bytes], bytes]] = {}
        self._stamp = int(now() * 1000)
        self.app.router.add_get("/api/users/@me", self._me)
        self.app.router.add_get("/api/oauth2/applications/@me", self._application)
        self.app.router.add_get("/gateway", self._gateway)

    def patch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The library has no setting for its addresses."""
        monkeypatch.setattr(Route, "BASE", f"{self.http}/api")
        monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", URL(f"{self.ws}/gateway"))

    def options(self) -> dict[str, Any]:
        """As Platform's."""
        return {"token": "env:DISCORD_TOKEN", "intents": ["guilds", "guild_messages", "message_content"]}

    async def _me(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bot secret-bot-token"
        self.asked += 1
        user = {"id": "1", "username": "echo", "discriminator": "0", "avatar": None, "bot": True}
        return self.refuse() or _json(user)

    async def _application(self, request: web.Request) -> web.Response:
        del request
        known = {"id": "1", "name": "echo", "description": "", "icon": None, "bot_public": True, "verify_key": "k"}
        owner = {"id": "2", "username": "o", "discriminator": "0", "avatar": None}
        return _json({**known, "bot_require_code_grant": False, "owner": owner, "flags": 0})

    def refused_as(self, reason: str) -> web.Response:
        """As Platform's."""
        if reason == "rate":
            return _json({"message": "slow"}, status=429, headers={"Retry-After": "1"})
        return _json({"message": "401: Unauthorized", "code": 0}, status=401)

    async def _gateway(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._packers[id(socket)] = _packing(request.query["compress"])
        await self._send(socket, {"op": 10, "d": {"heartbeat_interval": 41_250}})
        async for message in socket:
            await self._asked(socket, orjson.loads(message.data))
        if socket in self.sockets:
            self.sockets.remove(socket)
        return socket

    async def _asked(self, socket: web.WebSocketResponse, frame: dict[str, Any]) -> None:
        if frame["op"] == 1:
            await self._send(socket, {"op": 11})
        elif frame["op"] == 2:
            self.opened.append("identify")
            assert frame["d"]["token"] == "secret-bot-token"
            if self.close_code:
                await socket.close(code=self.close_code)
                return
            self.session += 1
            self.keeps, self.log = True, []
            ready = {
                "v": 10,
                "user": {"id": "1", "username": "echo", "discriminator": "0", "avatar": None},
                "guilds": [],
                "session_id": f"s{self.session}",
                "resume_gateway_url": f"{self.ws}/gateway",
                "application": {"id": "1", "flags": 0},
            }
            self.sockets.append(socket)
            await self.dispatch("READY", ready)
        elif frame["op"] == 6:
            self.opened.append("resume")
            if not self.keeps or frame["d"]["session_id"] != f"s{self.session}":
                await self._send(socket, {"op": 9, "d": False})
                return
            self.sockets.append(socket)
            for sent in self.log[frame["d"]["seq"] :]:
                await self._pack(socket, sent)
            await self._send(socket, {"op": 0, "t": "RESUMED", "s": len(self.log), "d": {}})

    async def _send(self, socket: web.WebSocketResponse, frame: dict[str, Any]) -> None:
        await self._pack(socket, orjson.dumps(frame))

    async def _pack(self, socket: web.WebSocketResponse, data: bytes) -> None:
        await socket.send_bytes(self._packers[id(socket)](data))

    async def dispatch(self, name: str, data: dict[str, Any]) -> None:
        """Send a dispatch, and keep it."""
        self.log.append(orjson.dumps({"op": 0, "t": name, "s": len(self.log) + 1, "d": data}))
        await self.send(self.log[-1])

    async def send(self, text: bytes) -> None:
        """As Platform's."""
        for socket in self.sockets:
            assert isinstance(socket, web.WebSocketResponse)
            await self._pack(socket, text)

    async def huge(self, size: int) -> None:
        """As Platform's; as a message, since another frame is of no interest."""
        await self.dispatch("MESSAGE_CREATE", self.message(0, content="x" * size))

    def message(self, number: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401 any JSON
        """A message as MESSAGE_CREATE has it."""
        own = str((self._stamp + number - 1_420_070_400_000) << 22)
        author = {"id": _ANN, "username": "ann", "discriminator": "0", "avatar": None}
        known = {"id": own, "channel_id": _CHANNEL, "guild_id": _GUILD, "author": author, "content": f"hello {number}"}
        return {"type": 0, "mentions": [], "attachments": [], "embeds": [], "edited_timestamp": None, **known, **more}

    async def say(self, number: int) -> str:
        """As Platform's."""
        message = self.message(number)
        await self.dispatch("MESSAGE_CREATE", message)
        return str(message["id"])

    async def every_kind(self) -> list[Expected]:
        """As Platform's."""
        first, answer, inside = await self.say(1), self.message(2), self.message(3, channel_id="99", position=1)
        answer |= {"type": 19, "message_reference": {"message_id": first, "channel_id": _CHANNEL}}
        await self.dispatch("MESSAGE_CREATE", answer)
        await self.dispatch("MESSAGE_CREATE", inside)
        await self.dispatch("TYPING_START", {"channel_id": _CHANNEL, "user_id": _ANN, "timestamp": 1})
        stamp = datetime.fromtimestamp(self._stamp / 1000, UTC)
        await self.dispatch("MESSAGE_UPDATE", self.message(1, edited_timestamp=stamp.isoformat()))
        about = {"channel_id": _CHANNEL, "guild_id": _GUILD}
        react = {"user_id": _BEN, "message_id": first, "emoji": {"id": None, "name": "x"}, **about}
        await self.dispatch("MESSAGE_REACTION_ADD", react)
        user = {"id": _BEN, "username": "ben", "discriminator": "0", "avatar": None}
        await self.dispatch("GUILD_MEMBER_ADD", {"guild_id": _GUILD, "user": user, "joined_at": stamp.isoformat()})
        await self.dispatch("MESSAGE_DELETE", {"id": first, **about})
        await self.dispatch("MESSAGE_DELETE_BULK", {"ids": ["5", "6"], **about})
        channel = f"discord-{_CHANNEL}"
        return [
            Expected(first, channel, _ANN, {"kind": "message"}),
            Expected(answer["id"], channel, _ANN, {"kind": "message", "reply_to": first}),
            Expected(inside["id"], "discord-99", _ANN, {"kind": "message", "thread": "99"}),
            Expected(f"{first}-{self._stamp}", channel, _ANN, {"kind": "edit", "target": first}),
            Expected(f"{first}-{_BEN}-x", channel, _BEN, {"kind": "reaction", "target": first}),
            Expected(f"{_GUILD}-{_BEN}-{self._stamp}", f"discord-{_GUILD}", _BEN, {"kind": "join"}),
            *(Expected(f"{own}-delete", channel, "", {"kind": "delete", "target": own}) for own in (first, "5", "6")),
        ]
