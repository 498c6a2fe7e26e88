"""Slack's Socket Mode: apps.connections.open, envelopes that come again until they are acknowledged."""

from __future__ import annotations

from typing import Any, ClassVar

import orjson
from aiohttp import web

from tests.echopulse.gateway.platforms.platform import Expected, Platform, now

_CHANNEL, _USER = "C0LOBBY", "U0ANN"


class Slack(Platform):
    """Keeps what was not acknowledged, and sends it again to the next connection."""

    connector, resumes = "slack", True
    revoked, limited = "answered token_revoked", "answered ratelimited"
    secrets: ClassVar[dict[str, str]] = {"SLACK_APP_TOKEN": "xapp-1", "SLACK_BOT_TOKEN": "xoxb-1"}

    def __init__(self) -> None:
        """Set the routes."""
        super().__init__()
        self.kept: dict[str, bytes] = {}
        self.scopes = "channels:history,reactions:read"
        self.acknowledged: list[str] = []
        self.app.router.add_post("/api/auth.test", self._auth)
        self.app.router.add_post("/api/apps.connections.open", self._open)
        self.app.router.add_get("/link", self._link)
        self._number = 0
        self._stamp = now()

    def options(self) -> dict[str, Any]:
        """As Platform's."""
        return {
            "app_token": "env:SLACK_APP_TOKEN",
            "bot_token": "env:SLACK_BOT_TOKEN",
            "api_url": f"{self.http}/api/",
        }

    async def _auth(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer xoxb-1"
        return web.json_response({"ok": True}, headers={"X-OAuth-Scopes": self.scopes})

    async def _open(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer xapp-1"
        self.asked += 1
        return self.refuse() or web.json_response({"ok": True, "url": f"{self.ws}/link?ticket={self.asked}"})

    def refused_as(self, reason: str) -> web.Response:
        """As Platform's."""
        if reason == "rate":
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": "1"})
        if reason == "scope":
            return web.json_response({"ok": False, "error": "missing_scope", "needed": "connections:write"})
        if reason == "page":
            return web.Response(status=502, text="<html>", content_type="text/html")
        return web.json_response({"ok": False, "error": "token_revoked"})

    async def _link(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=True)
        await socket.prepare(request)
        hello = {"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A1"}}
        await socket.send_str(orjson.dumps(hello).decode())
        self.sockets.append(socket)
        for frame in list(self.kept.values()):
            await socket.send_str(frame.decode())
        async for message in socket:
            answer = orjson.loads(message.data)
            self.acknowledged.append(answer["envelope_id"])
            self.kept.pop(answer["envelope_id"], None)
        if socket in self.sockets:
            self.sockets.remove(socket)
        return socket

    async def event(self, event: dict[str, Any], **more: Any) -> str:  # noqa: ANN401 any JSON
        """Send an event in an envelope, and keep it; returns its id."""
        self._number += 1
        payload = {"type": "event_callback", "team_id": "T1", "event_id": f"Ev{self._number}", "event": event, **more}
        envelope = {
            "envelope_id": f"env-{self._number}",
            "type": "events_api",
            "accepts_response_payload": False,
            "retry_attempt": 0,
            "retry_reason": "",
            "payload": payload,
        }
        self.kept[f"env-{self._number}"] = orjson.dumps(envelope)
        await self.send(orjson.dumps(envelope))
        return f"Ev{self._number}"

    async def send(self, text: bytes) -> None:
        """As Platform's."""
        for socket in self.sockets:
            assert isinstance(socket, web.WebSocketResponse)
            await socket.send_str(text.decode())

    def _message(self, number: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401 any JSON
        ts = f"{self._stamp + number:.6f}"
        return {"type": "message", "user": _USER, "text": f"hello {number}", "ts": ts, **more}

    async def say(self, number: int) -> str:
        """As Platform's."""
        message = self._message(number)
        await self.event({**message, "channel": _CHANNEL, "event_ts": message["ts"], "channel_type": "channel"})
        return f"{_CHANNEL}-{message['ts']}"

    async def every_kind(self) -> list[Expected]:
        """As Platform's."""
        first = await self.say(1)
        ts = self._message(1)["ts"]
        answer = self._message(2, thread_ts=ts)
        stamp = {"channel": _CHANNEL, "event_ts": self._message(3)["ts"], "ts": self._message(3)["ts"]}
        await self.event({**answer, "channel": _CHANNEL, "event_ts": answer["ts"]})
        edit = await self.event(
            {"type": "message", "subtype": "message_changed", "message": self._message(1, text="mended"), **stamp}
        )
        item = {"type": "message", "channel": _CHANNEL, "ts": ts}
        reaction = await self.event(
            {"type": "reaction_added", "user": "U0BEN", "reaction": "tada", "item": item, "event_ts": stamp["ts"]}
        )
        joined = await self.event({"type": "member_joined_channel", "user": "U0BEN", **stamp})
        await self.event({"type": "app_mention", "user": _USER, "text": "of no interest", **stamp})
        delete = await self.event(
            {
                "type": "message",
                "subtype": "message_deleted",
                "deleted_ts": ts,
                "previous_message": self._message(1),
                **stamp,
            }
        )
        channel = f"slack-{_CHANNEL}"
        return [
            Expected(first, channel, _USER, {"kind": "message"}),
            Expected(
                f"{_CHANNEL}-{answer['ts']}",
                channel,
                _USER,
                {"kind": "message", "reply_to": first, "thread": first},
            ),
            Expected(edit, channel, _USER, {"kind": "edit", "target": first}),
            Expected(reaction, channel, "U0BEN", {"kind": "reaction", "target": first}),
            Expected(joined, channel, "U0BEN", {"kind": "join"}),
            Expected(delete, channel, _USER, {"kind": "delete", "target": first}),
        ]
