"""X's filtered stream: rules, a chunked stream of JSON lines with keepalives, backfill."""

from __future__ import annotations

import asyncio
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import orjson
from aiohttp import web

from tests.echopulse.gateway.platforms.platform import Expected, Platform


class X(Platform):
    """Sends again what it sent before to who asks for backfill."""

    connector, resumes, revoked = "x", True, "X answered 401 Unauthorized"
    secrets: ClassVar[dict[str, str]] = {"X_TOKEN": "secret-bearer"}

    def __init__(self) -> None:
        """Set the routes."""
        super().__init__()
        self.most = 1_000
        self.spent = Path(tempfile.mkdtemp()) / "spent.json"
        self.rules: list[dict[str, str]] = []
        self.backfills: list[str] = []
        self.log: list[bytes] = []
        self.app.router.add_get("/2/tweets/search/stream/rules", self._rules)
        self.app.router.add_post("/2/tweets/search/stream/rules", self._add)
        self.app.router.add_get("/2/tweets/search/stream", self._stream)

    def options(self) -> dict[str, Any]:
        """As Platform's."""
        return {
            "bearer_token": "env:X_TOKEN",
            "posts_per_month": self.most,
            "spent": str(self.spent),
            "rules": {"cats": "cat has:images"},
            "backfill_minutes": 5,
            "api_url": f"{self.http}",
        }

    def refused_as(self, reason: str) -> web.Response:
        """As Platform's."""
        if reason == "rate":
            return web.json_response({"title": "Too Many Requests"}, status=429, headers={"Retry-After": "1"})
        return web.json_response({"title": "Unauthorized"}, status=401)

    async def _rules(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer secret-bearer"
        self.asked += 1
        return self.refuse() or web.json_response({"data": self.rules, "meta": {"sent": "2026-01-01T00:00:00Z"}})

    async def _add(self, request: web.Request) -> web.Response:
        added = (await request.json())["add"]
        self.rules += [{"id": str(number), **rule} for number, rule in enumerate(added, len(self.rules) + 1)]
        return web.json_response({"data": self.rules, "meta": {"summary": {"created": len(added)}}}, status=201)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        assert "created_at" in request.query["tweet.fields"]
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(b"\r\n")
        if minutes := request.query.get("backfill_minutes"):
            self.backfills.append(minutes)
            for line in self.log:
                await response.write(line)
        self.sockets.append(response)
        try:
            while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110 aiohttp tells nothing else
                await asyncio.sleep(0.05)
        finally:
            if response in self.sockets:
                self.sockets.remove(response)
        return response

    async def send(self, text: bytes) -> None:
        """As Platform's."""
        for response in self.sockets:
            await response.write(text + b"\r\n")

    async def post(self, own: str, **more: Any) -> str:  # noqa: ANN401 any JSON
        """Let a post happen; returns its id."""
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        data = {"id": own, "text": "a cat", "author_id": "77", "created_at": stamp, "edit_history_tweet_ids": [own]}
        line = orjson.dumps({"data": data | more, "matching_rules": [{"id": "1", "tag": "cats"}]})
        self.log.append(line + b"\r\n")
        await self.send(line)
        return own

    async def say(self, number: int) -> str:
        """As Platform's."""
        return await self.post(str(1_000 + number))

    async def every_kind(self) -> list[Expected]:
        """As Platform's."""
        first = await self.say(1)
        edit = await self.post("2000", edit_history_tweet_ids=[first, "2000"])
        return [
            Expected(first, "x-cats", "77", {"kind": "message"}),
            Expected(edit, "x-cats", "77", {"kind": "edit", "target": first}),
        ]
