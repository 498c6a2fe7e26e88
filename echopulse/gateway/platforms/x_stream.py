"""tweepy's client of X's filtered stream, connected once: what ends it goes to the inbox."""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson
from tweepy import StreamRule
from tweepy.asynchronous import AsyncStreamingClient
from tweepy.asynchronous.streaming import AsyncBaseStream

from echopulse.gateway.connector import Arrival
from echopulse.gateway.http_status import refused, seconds_of
from echopulse.gateway.platforms.x_posts import fields_of
from echopulse.gateway.source import ConnectionLostError
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from echopulse.gateway.platforms.inbox import Inbox
    from echopulse.gateway.platforms.read_budget import ReadBudget
    from echopulse.gateway.source import Limits

_POST_FIELDS = ["created_at", "author_id", "conversation_id", "lang", "referenced_tweets", "edit_history_tweet_ids"]
_LONG_POST = "note_tweet"


async def _checked(answer: aiohttp.ClientResponse) -> None:
    """Be called by aiohttp for each answer: the library would tell only its status."""
    if answer.status >= HTTPStatus.BAD_REQUEST:
        error = refused("X", answer.status, answer.headers.get("Retry-After", ""))
        reset = answer.headers.get("x-rate-limit-reset", "")
        if isinstance(error, ConnectionLostError) and reset.isdigit():
            wait_s = max(seconds_of(answer.headers.get("Retry-After", "")), int(reset) - time.time())
            raise ConnectionLostError(str(error), wait_s)
        raise error


class Stream(AsyncStreamingClient):
    """One connection. `budget` counts each post that comes, for each is billed."""

    def __init__(self, api_url: str, token: str, limits: Limits, inbox: Inbox, budget: ReadBudget) -> None:
        """Make the session; connect to nothing yet."""
        super().__init__(token, max_retries=0)
        self._api_url, self._inbox, self._budget = api_url.rstrip("/"), inbox, budget
        self._frame_bytes, self._connect_s = limits.frame_bytes, limits.connect_timeout_s
        self._connected = asyncio.Event()
        self.session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=limits.connect_timeout_s, sock_read=limits.read_timeout_s
            ),
            raise_for_status=_checked,
            # aiohttp takes lines up to twice this.
            read_bufsize=limits.frame_bytes // 2,
        )

    async def keep_rules(self, rules: Mapping[str, str]) -> None:
        """Add those rules, by tag, that X does not have yet; others are left as they are."""
        async with asyncio.timeout(self._connect_s):
            known = {rule.value: rule.tag for rule in (await self.get_rules()).data or []}
        missing = [StreamRule(value, tag) for tag, value in rules.items() if known.get(value) != tag]
        if missing:
            async with asyncio.timeout(self._connect_s):
                answer = await self.add_rules(missing)
            if answer.errors:
                told = "; ".join(str(error.get("title", error)) for error in answer.errors)
                raise EchoPulseError(f"X refused a rule: {told}", "see `rules`")

    async def begin(self, backfill_minutes: int) -> None:
        """Connect in a task of its own. Raises TimeoutError where no answer comes in time."""
        more = {"backfill_minutes": backfill_minutes} if backfill_minutes else {}
        task = self.filter(tweet_fields=[*_POST_FIELDS, _LONG_POST], **more)
        connected = asyncio.create_task(self._connected.wait())
        # aiohttp bounds each read by itself: a server that sends an answer's head byte by byte would never end.
        done, _ = await asyncio.wait({task, connected}, timeout=self._connect_s, return_when=asyncio.FIRST_COMPLETED)
        connected.cancel()
        if not done:
            raise TimeoutError(f"no answer came within {self._connect_s:g} s")

    async def on_connect(self) -> None:
        """Be called by the library once X has answered."""
        self._connected.set()

    async def leave(self) -> None:
        """Close everything."""
        self.disconnect()
        if self.task is not None:
            # Not awaited by itself: its cancellation would be taken for ours.
            await asyncio.wait({self.task})
        await self.session.close()

    async def on_data(self, raw_data: bytes) -> None:
        """Be called by the library with each line that is no keepalive."""
        try:
            frame = orjson.loads(raw_data)
            if "data" not in frame:
                raise ConnectionLostError(f"X ends the stream: {frame['errors'][0]['title']}")
            fields = fields_of(frame)
            arrival = Arrival(raw_data, resume=str(fields.ts_ms), fields=fields)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            arrival = Arrival(raw_data, fault=f"no post of X's: {type(error).__name__}: {error}")
        now = datetime.now(UTC)
        left = self._budget.take(now)
        await self._inbox.put(arrival)
        if not left:
            raise ConnectionLostError(self._budget.spent(now), self._budget.wait_s(now))

    async def on_closed(self, resp: aiohttp.ClientResponse) -> None:
        """Be called by the library at the stream's end, where it would connect again by itself."""
        del resp
        raise ConnectionLostError("X closed the connection")

    async def on_connection_error(self) -> None:
        """Be called by the library where the connection broke, or no keepalive came in time."""
        if isinstance(error := sys.exception(), aiohttp.ClientConnectorCertificateError):
            raise EchoPulseError(f"X's certificate is not trusted: {error.certificate_error}")
        raise ConnectionLostError("the connection to X broke, or nothing came in time")

    async def on_exception(self, exception: Exception) -> None:
        """Be called by the library with whatever ended its task."""
        if isinstance(exception, ValueError):
            exception = ConnectionLostError(f"a line above {self._frame_bytes} bytes was refused: {exception}")
        self._inbox.fail(exception)

    async def request(
        self,
        method: str,
        route: str,
        params: dict[str, Any] | None = None,
        json: Any = None,  # noqa: ANN401 any JSON
        user_auth: bool = False,  # noqa: FBT001, FBT002 the library's own
    ) -> aiohttp.ClientResponse:
        """Ask as the library does, of an address that it has no setting for."""
        del user_auth
        headers = {"Authorization": f"Bearer {self.bearer_token}", "User-Agent": self.user_agent}
        url = self._api_url + route
        async with self.session.request(method, url, params=params, json=json, headers=headers) as answer:
            await answer.read()
        return answer

    async def _connect(self, method: str, endpoint: str, **kwargs: Any) -> None:  # noqa: ANN401 the library's own
        headers = {"Authorization": f"Bearer {self.bearer_token}"}
        url = f"{self._api_url}/2/tweets/{endpoint}/stream"
        await AsyncBaseStream._connect(self, method, url, headers=headers, **kwargs)  # noqa: SLF001 as the library does
