"""X's filtered stream (https://docs.x.com/x-api/posts/filtered-stream), by the library tweepy; reads are billed."""

from __future__ import annotations

import math
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, SecretStr

from echopulse.gateway.connector import Connector, Options
from echopulse.gateway.platforms.inbox import Inbox
from echopulse.gateway.platforms.missing_library import require
from echopulse.gateway.platforms.read_budget import ReadBudget
from echopulse.gateway.platforms.x_posts import KINDS
from echopulse.gateway.source import ConnectionLostError
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from echopulse.gateway.connector import Arrival
    from echopulse.gateway.source import Limits

_AHEAD = 256
_MINUTE_MS = 60_000


class XOptions(Options):
    """`posts_per_month` may be read by this source, counted in the file `spent`; `rules` are values by tag.

    `backfill_minutes` after a lost connection are for accounts that may use them.
    """

    bearer_token: SecretStr
    posts_per_month: Annotated[int, Field(ge=1)]
    spent: Path
    rules: dict[str, str] = Field(default_factory=dict)
    backfill_minutes: Annotated[int, Field(ge=0, le=5)] = 0
    api_url: str = "https://api.x.com"


class XConnector(Connector[XOptions]):
    """Its server waits little for a slow reader, so that events go to the spool; a spent budget is waited out."""

    name, kinds, pausable, resumable, options = "x", frozenset(KINDS), False, True, XOptions

    def __init__(self, chosen: XOptions, limits: Limits) -> None:
        """Keep the options. Raises EchoPulseError where the library is not installed."""
        super().__init__(chosen, limits)
        require("tweepy", "x")
        require("async_lru", "x")

    @property
    def address(self) -> str:
        """The API."""
        return self.chosen.api_url

    async def arrivals(self, resume: str) -> AsyncGenerator[Arrival, None]:
        """Connect and yield posts, those of the last minutes first where X may repeat them."""
        import aiohttp  # noqa: PLC0415 an extra's

        from echopulse.gateway.platforms.x_stream import Stream  # noqa: PLC0415 an extra's

        chosen, inbox = self.chosen, Inbox(_AHEAD)
        with ReadBudget(chosen.spent, chosen.posts_per_month) as budget:
            now = datetime.now(UTC)
            if not budget.left(now):
                raise ConnectionLostError(budget.spent(now), budget.wait_s(now))
            stream = Stream(chosen.api_url, chosen.bearer_token.get_secret_value(), self.limits, inbox, budget)
            try:
                if chosen.rules:
                    await stream.keep_rules(chosen.rules)
                await stream.begin(_missed_minutes(resume, chosen.backfill_minutes, now))
                async with aclosing(inbox.taken()) as taken:
                    async for arrival in taken:
                        yield arrival
            except aiohttp.ClientConnectorCertificateError as error:
                raise EchoPulseError(f"X's certificate is not trusted: {error.certificate_error}") from error
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise ConnectionLostError(f"{type(error).__name__}: {error}".rstrip(": ")) from error
            finally:
                await stream.leave()


def _missed_minutes(resume: str, most: int, now: datetime) -> int:
    """Return how many minutes to ask for again: those since the last post, and no more than `most`."""
    if not resume:
        return 0
    return min(most, max(1, math.ceil((now.timestamp() * 1_000 - int(resume)) / _MINUTE_MS)))
