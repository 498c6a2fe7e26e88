"""Discord's gateway (https://discord.com/developers/docs/events/gateway), by the library discord.py."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Any

import orjson
from pydantic import Field, SecretStr

from echopulse.gateway.connector import Arrival, Connector, Options
from echopulse.gateway.dead_letters import now_ms
from echopulse.gateway.platforms.discord_events import KINDS, fields_of
from echopulse.gateway.platforms.missing_library import require

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from echopulse.gateway.source import Limits

#: Messages with their contents, reactions to them; `members`, a second privileged intent, gives joins.
_INTENTS = ["guilds", "guild_messages", "guild_reactions", "message_content"]


class DiscordOptions(Options):
    """`token` is the bot's; `intents` are named as in discord.py, privileged ones must be switched on for the bot."""

    token: SecretStr
    intents: Annotated[list[str], Field(min_length=1)] = _INTENTS


class DiscordConnector(Connector[DiscordOptions]):
    """Goes on behind the last dispatch while Discord keeps the session, also in the next process."""

    name, kinds, pausable, resumable = "discord", frozenset(KINDS.values()), False, True
    options = DiscordOptions

    def __init__(self, chosen: DiscordOptions, limits: Limits) -> None:
        """Keep the options. Raises EchoPulseError where the library is not installed, UsageError for an intent."""
        super().__init__(chosen, limits)
        require("discord", "discord")
        from echopulse.gateway.platforms.discord_session import Session  # noqa: PLC0415 its library is an extra

        self._session = Session(chosen.token.get_secret_value(), chosen.intents, limits)

    @property
    def address(self) -> str:
        """The gateway that Discord gives out."""
        return self._session.address

    async def arrivals(self, resume: str) -> AsyncGenerator[Arrival, None]:
        """Connect and yield dispatches, a session resumed where one is known."""
        async with aclosing(self._session.dispatches(resume)) as dispatches:
            async for text, place in dispatches:
                self.gaps = self._session.gaps
                frame = text.encode()
                if len(frame) > self.limits.frame_bytes:
                    yield Arrival(frame, place, f"a frame of {len(frame)} bytes is above {self.limits.frame_bytes}")
                    continue
                for arrival in _read(frame, place):
                    yield arrival


def _read(frame: bytes, place: str) -> Iterator[Arrival]:
    dispatch: dict[str, Any] = orjson.loads(frame)
    try:
        for fields in fields_of(dispatch["t"], dispatch["d"], now_ms()):
            yield Arrival(frame, place, fields=fields)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        yield Arrival(frame, place, f"no dispatch of Discord's: {type(error).__name__}: {error}")
