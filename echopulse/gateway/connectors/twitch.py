"""Twitch's EventSub over a websocket (https://dev.twitch.tv/docs/eventsub), by the library twitchAPI."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, SecretStr

from echopulse.gateway.connector import Connector, Options
from echopulse.gateway.platforms.inbox import Inbox
from echopulse.gateway.platforms.missing_library import require
from echopulse.gateway.platforms.twitch_events import KINDS
from echopulse.gateway.source import ConnectionLostError
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from echopulse.gateway.connector import Arrival
    from echopulse.gateway.source import Limits

_AHEAD = 256
Event = Literal["chat", "delete", "cheer", "follow", "raid"]
#: Those that any user's token may read.
_EVENTS: list[Event] = ["chat", "delete", "raid"]


class TwitchOptions(Options):
    """`token` is a user's, made for the app `client_id`; `channels` are logins.

    `cheer` needs the channel's own user, `follow` one of its moderators.
    """

    client_id: str
    token: SecretStr
    channels: Annotated[list[str], Field(min_length=1)]
    events: list[Event] = Field(default_factory=lambda: list(_EVENTS), min_length=1)
    socket_url: str = "wss://eventsub.wss.twitch.tv/ws"
    api_url: str = "https://api.twitch.tv/helix/"
    auth_url: str = "https://id.twitch.tv/oauth2/"


class TwitchConnector(Connector[TwitchOptions]):
    """Moves to another connection when Twitch asks for it, without a gap; keeps nothing over a lost one."""

    name, kinds, pausable, options = "twitch", frozenset(KINDS.values()), False, TwitchOptions

    def __init__(self, chosen: TwitchOptions, limits: Limits) -> None:
        """Keep the options. Raises EchoPulseError where the library is not installed."""
        super().__init__(chosen, limits)
        require("twitchAPI", "twitch")

    @property
    def address(self) -> str:
        """The websocket."""
        return self.chosen.socket_url

    async def arrivals(self, resume: str) -> AsyncGenerator[Arrival, None]:
        """Connect, subscribe and yield notifications."""
        del resume  # EventSub keeps nothing for a connection that was lost
        import aiohttp  # noqa: PLC0415 an extra's
        from twitchAPI.type import TwitchAPIException  # noqa: PLC0415 an extra's

        from echopulse.gateway.platforms.twitch_access import Addresses, authorised, subscribe  # noqa: PLC0415
        from echopulse.gateway.platforms.twitch_socket import Socket  # noqa: PLC0415

        chosen, inbox, twitch, socket = self.chosen, Inbox(_AHEAD), None, None
        addresses = Addresses(chosen.socket_url, chosen.api_url, chosen.auth_url)
        try:
            async with asyncio.timeout(self.limits.connect_timeout_s):
                token = chosen.token.get_secret_value()
                twitch = await authorised(chosen.client_id, token, chosen.events, addresses)
                socket = Socket(twitch, addresses, self.limits, inbox)
                await socket.open()
                await subscribe(socket, twitch, chosen.channels, chosen.events)
            async with aclosing(inbox.taken()) as taken:
                async for arrival in taken:
                    yield arrival
        except aiohttp.ClientConnectorCertificateError as error:
            raise EchoPulseError(f"Twitch's certificate is not trusted: {error.certificate_error}") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ConnectionLostError(f"{type(error).__name__}: {error}".rstrip(": ")) from error
        except TwitchAPIException as error:
            raise ConnectionLostError(f"Twitch answered: {error}") from error
        finally:
            if socket is not None:
                await socket.leave()
            if twitch is not None:
                await twitch.close()
