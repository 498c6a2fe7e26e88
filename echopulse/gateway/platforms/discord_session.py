"""A session at Discord's gateway: discord.py's client and socket, connected once, its own reconnecting left out."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
import orjson
from discord.gateway import DiscordWebSocket, ReconnectWebSocket
from yarl import URL

from echopulse.gateway.http_status import refused
from echopulse.gateway.source import ConnectionLostError
from echopulse.telemetry import logger
from schemas.errors import EchoPulseError, UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Sequence

    from echopulse.gateway.source import Limits

_LOG = logger(__name__)
_NEW_TOKEN = "make a new token on the bot's page at discord.com/developers, and name it by env:VARIABLE"  # noqa: S105
#: https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
_CLOSED = {
    4004: ("refused the token", _NEW_TOKEN),
    4010: ("refused the shard", "use one source a bot"),
    4011: ("wants the bot to be sharded", "it is in more than 2,500 servers, which this connector does not serve"),
    4012: ("no longer speaks this version", "install a newer discord.py"),
    4013: ("refused the intents", "see `intents`"),
    4014: ("does not allow the intents", "switch the privileged intents on, on the bot's page, or leave them out"),
}
#: Any code but 1000 and 1001 lets a session be resumed.
_LEAVE = 4000
#: The least that discord.py takes: a longer wait it is told of is ours, not the library's.
_RATE_LIMIT_S = 30.0


class _Client(discord.Client):
    """Keeps the texts of frames, and dispatches nothing else."""

    def __init__(self, intents: discord.Intents) -> None:
        super().__init__(
            intents=intents,
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            enable_debug_events=True,
            max_ratelimit_timeout=_RATE_LIMIT_S,
        )
        self._frames: deque[str] = deque()

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 the library's own
        """Be told of an event by the library."""
        del kwargs
        if event == "socket_raw_receive":
            self._frames.append(args[0])

    def taken(self) -> Iterator[tuple[str, int]]:
        """Return the dispatches that came, each as its text and its number in the session, and keep none."""
        while self._frames:
            text = self._frames.popleft()
            frame = orjson.loads(text)
            if frame.get("op") == DiscordWebSocket.DISPATCH:
                yield text, frame["s"]


class Session:
    """One bot's session; which one could not be resumed is remembered, and a new one is begun."""

    def __init__(self, token: str, intents: Sequence[str], limits: Limits) -> None:
        """Keep the settings. Raises UsageError for an intent that discord.py does not know."""
        for name in intents:
            if name not in discord.Intents.VALID_FLAGS:
                raise UsageError(f"Discord has no intent '{name}'", did_you_mean(name, discord.Intents.VALID_FLAGS))
        self._intents = discord.Intents(**dict.fromkeys(intents, True))
        self._token, self._limits = token, limits
        self._ended = self._counted = ""
        #: Sessions that could not be resumed, and numbers that are missing in one that was.
        self.gaps = 0
        self.address = str(DiscordWebSocket.DEFAULT_GATEWAY)

    async def dispatches(self, resume: str) -> AsyncGenerator[tuple[str, str], None]:
        """Connect once and yield dispatches as texts, each with the place behind it."""
        client = _Client(self._intents)
        socket: DiscordWebSocket | None = None
        own, last = orjson.loads(resume)[:2] if resume else ("", 0)
        try:
            async with asyncio.timeout(self._limits.connect_timeout_s):
                await client.login(self._token)
                socket = await self._opened(client, resume)
            if own and own == self._ended:
                self.gaps, last = self.gaps + (own != self._counted), 0
                self._counted = own
            while True:
                own = socket.session_id or own
                for text, sequence in client.taken():
                    self.gaps += 0 < last < sequence - 1
                    last = sequence
                    yield text, orjson.dumps([own, sequence, str(socket.gateway)]).decode()
                await socket.poll_event()
        except ReconnectWebSocket as error:
            if not error.resume:
                self._ended = own
                _LOG.warning("Discord no longer keeps the session: what it held is missed", session=self._ended)
            raise ConnectionLostError("Discord asks for a new connection, or the old one broke") from error
        except (discord.DiscordException, aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _refusal(error) from error
        finally:
            if socket is not None:
                await socket.close(_LEAVE)
            await client.close()

    async def _opened(self, client: _Client, resume: str) -> DiscordWebSocket:
        session, sequence, gateway = orjson.loads(resume) if resume else ("", 0, "")
        if not session or session == self._ended:
            socket = await DiscordWebSocket.from_client(client, initial=True)
        else:
            socket = await DiscordWebSocket.from_client(
                client, session=session, sequence=sequence, resume=True, gateway=URL(gateway)
            )
        # The library's cache of servers and members is not wanted, and what it makes nothing of must not end it.
        socket._discord_parsers = {}  # noqa: SLF001 it has no setting for it
        return socket


def _refusal(error: Exception) -> Exception:
    if isinstance(error, discord.LoginFailure):
        return EchoPulseError("Discord answered 401 Unauthorized", _NEW_TOKEN)
    if isinstance(error, discord.HTTPException):
        return refused("Discord", error.status, error.response.headers.get("Retry-After", ""))
    if isinstance(error, discord.ConnectionClosed) and error.code in _CLOSED:
        told, hint = _CLOSED[error.code]
        return EchoPulseError(f"Discord {told} (close code {error.code})", hint)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return EchoPulseError(f"Discord's certificate is not trusted: {error.certificate_error}")
    wait_s = error.retry_after if isinstance(error, discord.RateLimited) else 0.0
    return ConnectionLostError(f"{type(error).__name__}: {error}".rstrip(": "), wait_s)
