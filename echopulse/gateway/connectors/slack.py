"""Slack by Socket Mode (https://docs.slack.dev/apis/events-api/using-socket-mode), by the library slack-sdk."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import SecretStr

from echopulse.gateway.connector import Arrival, Connector, Options
from echopulse.gateway.platforms.inbox import Inbox
from echopulse.gateway.platforms.missing_library import require
from echopulse.gateway.platforms.slack_events import KINDS, REVOKED, fields_of, type_of
from echopulse.gateway.receipt import Receipt
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from aiohttp import WSMessage

    from echopulse.gateway.connector import Fields
    from echopulse.gateway.source import Limits

_AHEAD = 256


class SlackOptions(Options):
    """`app_token` (xapp-, scope connections:write) opens the socket; `bot_token` (xoxb-), where given, is checked."""

    app_token: SecretStr
    bot_token: SecretStr | None = None
    api_url: str = "https://slack.com/api/"


class SlackConnector(Connector[SlackOptions]):
    """Acknowledges an envelope when its event is safe; until then Slack keeps it and sends it again."""

    name, kinds, pausable, options = "slack", frozenset(KINDS.values()), False, SlackOptions

    def __init__(self, chosen: SlackOptions, limits: Limits) -> None:
        """Keep the options. Raises EchoPulseError where the library is not installed."""
        super().__init__(chosen, limits)
        require("slack_sdk", "slack")
        require("aiohttp", "slack")

    @property
    def address(self) -> str:
        """The Web API, which gives out the socket's address."""
        return self.chosen.api_url

    async def arrivals(self, resume: str) -> AsyncGenerator[Arrival, None]:
        """Open a socket and yield its events; what was not acknowledged Slack sends again by itself."""
        del resume
        from echopulse.gateway.platforms.slack_socket import NEW_TOKEN, connect, opened  # noqa: PLC0415 an extra's

        chosen, inbox = self.chosen, Inbox(_AHEAD)
        bot_token = chosen.bot_token.get_secret_value() if chosen.bot_token else ""
        socket = await opened(chosen.api_url, chosen.app_token.get_secret_value(), bot_token, self.limits, inbox)

        async def received(message: WSMessage) -> None:
            frame = message.data.encode()
            fields, envelope, kind, fault = _read(frame)
            if kind in REVOKED:
                inbox.fail(EchoPulseError(f"{self.address} sent {kind}", NEW_TOKEN))
            receipt = Receipt() if envelope else None
            if receipt:
                socket.answer(envelope, receipt)
            if fields or fault:
                await inbox.put(Arrival(frame, fault=fault, fields=fields, receipt=receipt))
            elif receipt:
                receipt.settle()

        socket.on_message_listeners.append(received)
        try:
            await connect(socket, self.limits)
            async with aclosing(inbox.taken()) as taken:
                async for arrival in taken:
                    yield arrival
        finally:
            await socket.leave()


def _read(frame: bytes) -> tuple[Fields | None, str, str, str]:
    """Return the fields of an event that is taken, the envelope's id, the event's type, and why it is none."""
    envelope: Any = {}
    try:
        envelope = orjson.loads(frame)
        payload = envelope.get("payload") or {}
        fields = fields_of(payload) if payload.get("type") == "event_callback" else None
        return fields, envelope.get("envelope_id", ""), type_of(payload), ""
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError) as error:
        own = envelope.get("envelope_id", "") if isinstance(envelope, dict) else ""
        return None, own, "", f"no envelope of Slack's: {type(error).__name__}: {error}"
