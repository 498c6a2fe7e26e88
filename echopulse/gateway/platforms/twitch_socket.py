"""twitchAPI's client of EventSub over a websocket, in the gateway's own event loop and connected once.

The library runs it in a thread with a loop of its own and connects again by itself; its handlers of the protocol
(welcome, keepalive, the move to another connection) are used here, the thread and the reconnecting are not.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp
import orjson
from twitchAPI.eventsub.websocket import EventSubWebsocket
from twitchAPI.helper import first
from twitchAPI.oauth import validate_token
from twitchAPI.twitch import Twitch
from twitchAPI.type import AuthScope

from echopulse.gateway.connector import Arrival
from echopulse.gateway.http_status import refused
from echopulse.gateway.platforms.twitch_events import fields_of
from echopulse.gateway.source import ConnectionLostError
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from echopulse.gateway.platforms.inbox import Inbox
    from echopulse.gateway.source import Limits

NEW_TOKEN = "make a new user token for this app, and name it by env:VARIABLE"  # noqa: S105
#: The scope that each event needs, and how its subscription is asked for.
SCOPES = {
    "chat": AuthScope.USER_READ_CHAT,
    "delete": AuthScope.USER_READ_CHAT,
    "cheer": AuthScope.BITS_READ,
    "follow": AuthScope.MODERATOR_READ_FOLLOWERS,
    "raid": None,
}


class Addresses(NamedTuple):
    """Where Twitch is."""

    socket: str
    api: str
    auth: str


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


async def authorised(app: str, token: str, events: Sequence[str], addresses: Addresses) -> Twitch:
    """Check the token and its scopes. Raises ConnectionLostError and EchoPulseError."""
    valid = await validate_token(token, auth_base_url=addresses.auth)
    status = valid.get("status", HTTPStatus.OK)
    if status == HTTPStatus.UNAUTHORIZED:
        raise EchoPulseError(f"Twitch refused the token: {valid.get('message', '')}", NEW_TOKEN)
    if status != HTTPStatus.OK:
        raise refused(addresses.auth, status)
    if valid.get("client_id") != app or "user_id" not in valid:
        raise EchoPulseError("the token is no user's token for this client_id", NEW_TOKEN)
    for event in events:
        scope = SCOPES[event]
        if scope is not None and scope not in valid["scopes"]:
            hint = f"make a user token with it and name it by env:VARIABLE, or leave '{event}' out of `events`"
            raise EchoPulseError(f"the token lacks the scope {scope.value}", hint)
    twitch = Twitch(app, authenticate_app=False, base_url=addresses.api, auth_base_url=addresses.auth)
    twitch.auto_refresh_auth = False
    await twitch.set_user_authentication(token, valid["scopes"], validate=False)
    return twitch


async def subscribe(socket: Socket, twitch: Twitch, channels: Sequence[str], events: Sequence[str]) -> None:
    """Ask for the events of channels. Raises EchoPulseError for a channel that Twitch does not know."""

    async def taken(event: object) -> None:
        """Do nothing: the notification was taken as it came."""

    own = await first(twitch.get_users())
    found = {user.login: user.id async for user in twitch.get_users(logins=list(channels))}
    for channel in channels:
        if own is None or channel not in found:
            raise EchoPulseError(f"Twitch has no channel '{channel}'", "a channel is named by its login, in lower case")
        there = found[channel]
        asked = {
            "chat": lambda there=there: socket.listen_channel_chat_message(there, own.id, taken),
            "delete": lambda there=there: socket.listen_channel_chat_message_delete(there, own.id, taken),
            "cheer": lambda there=there: socket.listen_channel_cheer(there, taken),
            "follow": lambda there=there: socket.listen_channel_follow_v2(there, own.id, taken),
            "raid": lambda there=there: socket.listen_channel_raid(taken, to_broadcaster_user_id=there),
        }
        for event in events:
            await asked[event]()
