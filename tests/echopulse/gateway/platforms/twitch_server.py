"""Twitch: tokens, Helix, and EventSub over a websocket with its welcome, keepalives, moves and revocations."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, ClassVar

import orjson
from aiohttp import web

from tests.echopulse.gateway.platforms.platform import Expected, Platform

_TYPES = {
    "chat": "channel.chat.message",
    "delete": "channel.chat.message_delete",
    "cheer": "channel.cheer",
    "follow": "channel.follow",
    "raid": "channel.raid",
}
_USERS = {"echo": "1", "cozyriver": "1971641"}


class Twitch(Platform):
    """Keeps nothing for who is not connected."""

    connector, resumes, revoked = "twitch", False, "Twitch refused the token: invalid access token"
    secrets: ClassVar[dict[str, str]] = {"TWITCH_TOKEN": "secret-user-token"}

    def __init__(self) -> None:
        """Set the routes."""
        super().__init__()
        self.scopes = ["user:read:chat", "bits:read", "moderator:read:followers"]
        self.subscribed: dict[str, str] = {}
        self.keepalive_s, self.number = 10, 0
        self.app.router.add_get("/oauth2/validate", self._validate)
        self.app.router.add_get("/helix/users", self._users)
        self.app.router.add_post("/helix/eventsub/subscriptions", self._subscribe)
        self.app.router.add_get("/ws", self._socket)
        self.welcomed: list[web.WebSocketResponse] = []

    @property
    def connected(self) -> bool:
        """Whether all that is asked for is subscribed."""
        return bool(self.sockets) and len(self.subscribed) == len(_TYPES)

    def options(self) -> dict[str, Any]:
        """As Platform's."""
        return {
            "client_id": "app",
            "token": "env:TWITCH_TOKEN",
            "channels": ["cozyriver"],
            "events": list(_TYPES),
            "socket_url": f"{self.ws}/ws",
            "api_url": f"{self.http}/helix/",
            "auth_url": f"{self.http}/oauth2/",
        }

    async def _validate(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "OAuth secret-user-token"
        self.asked += 1
        known = {"client_id": "app", "login": "echo", "scopes": self.scopes, "user_id": "1", "expires_in": 5_000}
        return self.refuse() or web.json_response(known)

    def refused_as(self, reason: str) -> web.Response:
        """As Platform's."""
        if reason == "rate":
            return web.json_response({"status": 429, "message": "too many requests"}, status=429)
        return web.json_response({"status": 401, "message": "invalid access token"}, status=401)

    async def _users(self, request: web.Request) -> web.Response:
        logins = request.query.getall("login", ["echo"])
        users = [
            {
                "id": _USERS[login],
                "login": login,
                "display_name": login,
                "type": "",
                "broadcaster_type": "",
                "description": "",
                "profile_image_url": "",
                "offline_image_url": "",
                "view_count": 0,
                "created_at": "2020-01-01T00:00:00Z",
            }
            for login in logins
            if login in _USERS
        ]
        return web.json_response({"data": users})

    async def _subscribe(self, request: web.Request) -> web.Response:
        asked = await request.json()
        own = f"sub-{asked['type']}"
        self.subscribed[asked["type"]] = asked["transport"]["session_id"]
        data = [{**asked, "id": own, "status": "enabled", "cost": 0, "created_at": "2026-01-01T00:00:00Z"}]
        return web.json_response({"data": data, "total": 1, "total_cost": 0, "max_total_cost": 10}, status=202)

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if "moved" not in request.query:
            self.subscribed.clear()
        self.sockets.append(socket)
        await self.frame("session_welcome", self._session("connected"), [socket])
        async for _message in socket:
            await asyncio.sleep(0)
        if socket in self.sockets:
            self.sockets.remove(socket)
        return socket

    def _session(self, status: str, url: str | None = None) -> dict[str, Any]:
        known = {"id": f"session-{self.asked}", "status": status, "connected_at": "2026-01-01T00:00:00Z"}
        return {"session": {**known, "keepalive_timeout_seconds": self.keepalive_s, "reconnect_url": url}}

    async def frame(
        self, kind: str, payload: dict[str, Any], sockets: list[web.WebSocketResponse] | None = None
    ) -> str:
        """Send a frame; returns its id."""
        self.number += 1
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "123Z"
        told = {"message_id": f"frame-{self.number}", "message_type": kind, "message_timestamp": stamp}
        text = orjson.dumps({"metadata": told, "payload": payload}).decode()
        for socket in self.sockets if sockets is None else sockets:
            assert isinstance(socket, web.WebSocketResponse)
            await socket.send_str(text)
        return f"frame-{self.number}"

    async def send(self, text: bytes) -> None:
        """As Platform's."""
        for socket in self.sockets:
            assert isinstance(socket, web.WebSocketResponse)
            await socket.send_str(text.decode())

    async def move(self) -> None:
        """Ask the client to move to another connection."""
        await self.frame("session_reconnect", self._session("reconnecting", f"{self.ws}/ws?moved=1"))

    async def revoke(self) -> None:
        """Take a subscription away."""
        lost = {"id": "sub-channel.cheer", "type": "channel.cheer", "status": "authorization_revoked"}
        await self.frame("revocation", {"subscription": lost})

    async def notify(self, name: str, event: dict[str, Any]) -> str:
        """Send a notification; returns its id."""
        about = {"broadcaster_user_id": _USERS["cozyriver"], "broadcaster_user_login": "cozyriver"}
        own = {"id": f"sub-{_TYPES[name]}", "type": _TYPES[name], "version": "1", "status": "enabled"}
        event = event if name == "raid" else {**about, **event}
        return await self.frame("notification", {"subscription": own, "event": event})

    async def say(self, number: int) -> str:
        """As Platform's."""
        message = {"text": f"hello {number}", "fragments": []}
        await self.notify("chat", {"chatter_user_id": "9", "message_id": f"chat-{number}", "message": message})
        return f"chat-{number}"

    async def every_kind(self) -> list[Expected]:
        """As Platform's."""
        first, channel = await self.say(1), "twitch-cozyriver"
        reply = {"parent_message_id": first, "thread_message_id": first}
        message = {"text": "yes", "fragments": []}
        await self.notify("chat", {"chatter_user_id": "8", "message_id": "chat-2", "message": message, "reply": reply})
        cheer = await self.notify("cheer", {"is_anonymous": True, "user_id": None, "message": "Cheer100", "bits": 100})
        follow = await self.notify(
            "follow", {"user_id": "7", "user_login": "ben", "followed_at": "2026-01-01T00:00:00Z"}
        )
        raid = await self.notify(
            "raid",
            {
                "from_broadcaster_user_id": "6",
                "to_broadcaster_user_id": "1971641",
                "to_broadcaster_user_login": "cozyriver",
                "viewers": 9,
            },
        )
        delete = await self.notify("delete", {"target_user_id": "9", "message_id": first})
        return [
            Expected(first, channel, "9", {"kind": "message"}),
            Expected("chat-2", channel, "8", {"kind": "message", "reply_to": first, "thread": first}),
            Expected(cheer, channel, "", {"kind": "message"}),
            Expected(follow, channel, "7", {"kind": "join"}),
            Expected(raid, channel, "6", {"kind": "join"}),
            Expected(delete, channel, "9", {"kind": "delete", "target": first}),
        ]
