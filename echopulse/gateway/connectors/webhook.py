"""Events that others send by HTTP POST, signed, and answered when they are safe."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, SecretStr
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse

from echopulse.gateway.connector import Arrival, Connector, Options
from echopulse.gateway.platforms.http_door import HEAD_S, bound, listening
from echopulse.gateway.platforms.inbox import Inbox
from echopulse.gateway.platforms.webhook_signature import SIGNATURE_HEADER, TIME_HEADER, refusal
from echopulse.gateway.receipt import Receipt, Settlement, Verdict
from transforms.digest import KINDS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.types import Receive, Scope, Send

_AHEAD = 256


class WebhookOptions(Options):
    """`key` signs requests; at most `waiting` are unanswered at a time, each for at most `answer_s` seconds."""

    mapping: str
    key: SecretStr
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 18_097
    path: Annotated[str, Field(pattern=r"^/")] = "/events"
    body_bytes: Annotated[int, Field(ge=1)] = 1_048_576
    waiting: Annotated[int, Field(ge=1)] = 500
    answer_s: Annotated[float, Field(gt=0)] = 10.0
    retry_after_s: Annotated[int, Field(ge=1)] = 5


class WebhookConnector(Connector[WebhookOptions]):
    """The sender waits for the answer: pausable. What is not answered by 2xx it has to send again."""

    name, kinds, pausable, options = "webhook", frozenset({*KINDS, "join"}), True, WebhookOptions

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://{self.chosen.host}:{self.chosen.port}{self.chosen.path}"

    async def arrivals(self, resume: str) -> AsyncGenerator[Arrival, None]:
        """Listen and yield bodies, one event each."""
        del resume
        inbox = Inbox(_AHEAD)
        door = bound(self.chosen.host, self.chosen.port)
        waiting = 0

        async def answered(scope: Scope, receive: Receive, send: Send) -> None:
            nonlocal waiting
            waiting += 1
            try:
                if waiting > self.chosen.waiting:
                    answer = self._later(HTTPStatus.TOO_MANY_REQUESTS, "too many requests wait for their answer")
                else:
                    answer = await self._answer(Request(scope, receive), inbox)
                await answer(scope, receive, send)
            finally:
                waiting -= 1

        head_s = min(HEAD_S, self.limits.read_timeout_s)
        async with listening(door, answered, head_s), aclosing(inbox.taken()) as taken:
            async for arrival in taken:
                yield arrival

    async def _answer(self, request: Request, inbox: Inbox) -> PlainTextResponse:
        if request.url.path != self.chosen.path:
            return PlainTextResponse("not found", HTTPStatus.NOT_FOUND)
        if request.method != "POST":
            return PlainTextResponse("POST only", HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "POST"})
        try:
            async with asyncio.timeout(self.limits.read_timeout_s):
                body = await self._body(request)
        except (TimeoutError, ClientDisconnect):
            return PlainTextResponse("the body did not come in time", HTTPStatus.REQUEST_TIMEOUT)
        if body is None:
            return PlainTextResponse(f"a body has at most {self.chosen.body_bytes} bytes", 413)
        stamp, given = request.headers.get(TIME_HEADER, ""), request.headers.get(SIGNATURE_HEADER, "")
        if reason := refusal(self.chosen.key.get_secret_value().encode(), stamp, given, body, time.time()):
            return PlainTextResponse(reason, HTTPStatus.UNAUTHORIZED)
        return await self._safe(body, inbox)

    async def _safe(self, body: bytes, inbox: Inbox) -> PlainTextResponse:
        receipt = Receipt()
        try:
            async with asyncio.timeout(self.chosen.answer_s):
                await inbox.put(Arrival(body, receipt=receipt))
                settled = await receipt.told(self.chosen.answer_s)
        except TimeoutError:
            settled = Settlement(Verdict.AGAIN, "not known to be safe yet")
        match settled.verdict:
            case Verdict.SAFE:
                return PlainTextResponse("safe")
            case Verdict.TOO_FAST:
                return self._later(HTTPStatus.TOO_MANY_REQUESTS, settled.reason)
            case Verdict.AGAIN:
                return self._later(HTTPStatus.SERVICE_UNAVAILABLE, settled.reason)

    async def _body(self, request: Request) -> bytes | None:
        """Return the body; None for one that is too large, which is not read to its end."""
        parts, size = [], 0
        async for part in request.stream():
            size += len(part)
            if size > self.chosen.body_bytes:
                return None
            parts.append(part)
        return b"".join(parts)

    def _later(self, status: HTTPStatus, reason: str) -> PlainTextResponse:
        return PlainTextResponse(reason, status, {"Retry-After": str(self.chosen.retry_after_s)})
