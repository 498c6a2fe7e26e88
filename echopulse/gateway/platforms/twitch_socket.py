"""twitchAPI's client of EventSub over a websocket, in the gateway's own event loop and connected once.

The library runs it in a thread with a loop of its own and connects again by itself; its handlers of the protocol
(welcome, keepalive, the move to another connection) are used here, the thread and the reconnecting are not.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson
from twitchAPI.eventsub.websocket import EventSubWebsocket

from echopulse.gateway.connector import Arrival
from echopulse.gateway.http_status import refused
from echopulse.gateway.platforms.twitch_access import NEW_TOKEN
from echopulse.gateway.platforms.twitch_events import fields_of
from echopulse.gateway.source import ConnectionLostError
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from twitchAPI.twitch import Twitch

    from echopulse.gateway.platforms.inbox import Inbox
    from echopulse.gateway.platforms.twitch_access import Addresses
    from echopulse.gateway.source import Limits


def response_class(inbox: Inbox) -> type[aiohttp.ClientWebSocketResponse]:
    """Return a connection that is read no faster than the gateway takes, and whose notifications go to the inbox."""

    class Paced(aiohttp.ClientWebSocketResponse):
        async def receive(self, timeout: float | None = None) -> aiohttp.WSMessage:  # noqa: ASYNC109 aiohttp's own
            message = await super().receive(timeout)
            if message.type is aiohttp.WSMsgType.TEXT:
                await _noted(message.data.encode(), inbox)
            return message

    return Paced


async def _noted(frame: bytes, inbox: Inbox) -> None:
    try:
        read = orjson.loads(frame)
        kind = read["metadata"]["message_type"]
        fields = fields_of(read) if kind == "notification" else None
        if kind == "revocation":
            lost = read["payload"]["subscription"]
            inbox.fail(EchoPulseError(f"Twitch revoked {lost['type']}: {lost['status']}", NEW_TOKEN))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        await inbox.put(Arrival(frame, fault=f"no frame of EventSub's: {type(error).__name__}: {error}"))
        return
    if fields:
        await inbox.put(Arrival(frame, fields=fields))


class Socket(EventSubWebsocket):
    """One connection; what ends it is told to the inbox."""

    def __init__(self, twitch: Twitch, addresses: Addresses, limits: Limits, inbox: Inbox) -> None:
        """Connect to nothing yet."""
        loop = asyncio.get_running_loop()
        super().__init__(twitch, connection_url=addresses.socket, subscription_url=addresses.api, callback_loop=loop)
        self._inbox, self._limits, self._welcomed = inbox, limits, asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Connect and wait for Twitch's welcome. Raises aiohttp's errors and TimeoutError."""
        timeout = aiohttp.ClientTimeout(total=None, connect=self._limits.connect_timeout_s)
        self._session = aiohttp.ClientSession(timeout=timeout, ws_response_class=response_class(self._inbox))
        self._running = True
        self._connection = await self._session.ws_connect(self.connection_url)
        self._tasks = [asyncio.create_task(self._task_receive()), asyncio.create_task(self._task_reconnect_handler())]
        self._tasks[0].add_done_callback(lambda _task: self._lost())
        await self._welcomed.wait()

    async def leave(self) -> None:
        """Close everything."""
        self._closing, self._running = True, False
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in (self._connection, self._reconnect.connection if self._reconnect else None):
            if connection is not None:
                await connection.close()
        if self._session is not None:
            await self._session.close()

    def _lost(self) -> None:
        self._closing = True
        reason = f"Twitch's connection ended with close code {self._connection.close_code}"
        self._inbox.fail(ConnectionLostError(reason))

    async def _connect(self, is_startup: bool = False) -> None:  # noqa: FBT001, FBT002 the library's own
        """Be called by the library where the connection is lost or no keepalive came."""
        del is_startup
        self._lost()

    async def _handle_welcome(self, data: dict[str, Any]) -> None:
        await super()._handle_welcome(data)
        self._welcomed.set()

    async def _handle_notification(self, data: dict[str, Any]) -> None:
        del data  # taken already, as it came
        self._reset_timeout()

    async def _api_post_request(self, session: Any, url: str, data: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 untyped there
        answer = await super()._api_post_request(session, url, data)
        told = {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS}
        if answer.status in told or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise refused(url, answer.status, answer.headers.get("Retry-After", ""))
        return answer
