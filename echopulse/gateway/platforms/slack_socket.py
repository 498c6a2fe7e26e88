"""slack-sdk's client of Socket Mode: its own reconnecting off, envelopes answered when their events are safe."""

from __future__ import annotations

import asyncio
import logging
import math
from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

from echopulse.gateway.http_status import seconds_of
from echopulse.gateway.source import ConnectionLostError
from echopulse.telemetry import logger
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from echopulse.gateway.platforms.inbox import Inbox
    from echopulse.gateway.receipt import Receipt
    from echopulse.gateway.source import Limits

NEW_TOKEN = "make a new token in the app's settings at api.slack.com/apps, and name it by env:VARIABLE"  # noqa: S105
_HINTS = {"not_allowed_token_type": "app_token begins with xapp-, bot_token with xoxb-"}
#: Answers of the Web API that another attempt may mend.
_LATER = frozenset({"ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"})
_HISTORY = ":history"
#: The library pings this often, and takes four unanswered ones for a dead connection.
_LONGEST_PING_S, _PINGS = 5.0, 4
#: An envelope that is not acknowledged within 3 s Slack sends again; a late acknowledgement still ends its repeats.
_LATEST_S, _LEAVING_S = 60.0, 3.0
_LOG = logger(__name__)
#: The library writes a traceback for what is told here in a line.
_QUIET = logging.getLogger("echopulse.slack_sdk")
_QUIET.disabled = True


class Socket(SocketModeClient):
    """A client that tells its inbox of a lost connection in place of making a new one."""

    def __init__(self, app_token: str, web: AsyncWebClient, limits: Limits, inbox: Inbox) -> None:
        """Connect to nothing yet."""
        ping_s = min(_LONGEST_PING_S, limits.read_timeout_s / _PINGS)
        super().__init__(app_token, logger=_QUIET, web_client=web, ping_interval=ping_s)
        self._inbox = inbox
        self.on_error_listeners.append(self._broken)
        self._answering: set[asyncio.Task[None]] = set()

    async def connect_to_new_endpoint(self, force: bool = False) -> None:  # noqa: FBT001, FBT002 the library's own
        """Be called by the library where the connection closed or is stale, or Slack asks to leave it (`force`)."""
        reason = "Slack asks for a new connection" if force else "the connection was closed or does not answer"
        self._inbox.fail(ConnectionLostError(reason))

    async def _broken(self, message: aiohttp.WSMessage) -> None:
        self._inbox.fail(ConnectionLostError(f"a frame could not be read: {message.data}"))

    def answer(self, envelope: str, receipt: Receipt) -> None:
        """Acknowledge an envelope once its event is safe."""
        task = asyncio.create_task(self._answered(envelope, receipt))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answered(self, envelope: str, receipt: Receipt) -> None:
        try:
            if (await receipt.told(_LATEST_S)).safe:
                await self.send_socket_mode_response({"envelope_id": envelope})
        except (ConnectionError, TimeoutError) as error:
            _LOG.warning("envelope not acknowledged", envelope=envelope, reason=str(error) or "not safe in time")

    async def leave(self) -> None:
        """Acknowledge what becomes safe within a few seconds, then close."""
        if self._answering:
            await asyncio.wait(self._answering, timeout=_LEAVING_S)
        for task in self._answering:
            task.cancel()
        await self.close()  # type: ignore[no-untyped-call]


async def opened(api_url: str, app_token: str, bot_token: str, limits: Limits, inbox: Inbox) -> Socket:
    """Check the tokens and make a client that has a socket's address; `bot_token` may be empty.

    Raises ConnectionLostError and EchoPulseError as a connector's `arrivals` does.
    """
    # Whole seconds, and 0 would be without end.
    within_s = math.ceil(limits.connect_timeout_s)
    web = AsyncWebClient(base_url=api_url, timeout=within_s, logger=_QUIET, retry_handlers=[])
    try:
        if bot_token:
            granted = (await web.auth_test(token=bot_token)).headers.get("x-oauth-scopes", "")
            if granted and _HISTORY not in granted:
                hint = "add channels:history to the bot's scopes, and install the app again"
                raise EchoPulseError(f"the bot_token has no scope to read messages, only {granted}", hint)
        url = (await web.apps_connections_open(app_token=app_token))["url"]
    except SlackApiError as error:
        raise _refused(api_url, error) from None
    except aiohttp.ClientConnectorCertificateError as error:
        raise EchoPulseError(f"the certificate of {api_url} is not trusted: {error.certificate_error}") from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise ConnectionLostError(f"{type(error).__name__}: {error}".rstrip(": ")) from error
    socket = Socket(app_token, web, limits, inbox)
    socket.wss_uri = url
    return socket


async def connect(socket: Socket, limits: Limits) -> None:
    """Open the socket; the library would try again for ever. Raises ConnectionLostError."""
    try:
        # Not wait_for, which can swallow a cancellation in Python 3.11.
        async with asyncio.timeout(limits.connect_timeout_s):
            await socket.connect()  # type: ignore[no-untyped-call]
    except TimeoutError as error:
        raise ConnectionLostError("the socket could not be opened in time") from error


def _refused(api_url: str, error: SlackApiError) -> Exception:
    # Where the body is no JSON the library hands on aiohttp's own answer, whose status is called otherwise.
    answer = error.response
    status = answer.status if isinstance(answer, aiohttp.ClientResponse) else answer.status_code
    data = {} if isinstance(answer, aiohttp.ClientResponse) or not isinstance(answer.data, dict) else answer.data
    code = data.get("error", "")
    told = f"{api_url} answered {code or status}"
    if (
        not code
        or code in _LATER
        or status == HTTPStatus.TOO_MANY_REQUESTS
        or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    ):
        return ConnectionLostError(told, seconds_of(answer.headers.get("Retry-After", "")))
    if needed := data.get("needed", ""):
        return EchoPulseError(told, f"give the token the scope {needed}, and install the app again")
    return EchoPulseError(told, _HINTS.get(code, NEW_TOKEN))
