"""The promise that an arrival is safe, for platforms that are answered only then: a webhook, a gRPC call."""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import NamedTuple


class Verdict(Enum):
    """What became of an arrival: `SAFE` is in Kafka or in the synced spool, or left out by the source's rules."""

    SAFE = "safe"
    TOO_FAST = "more than the source's rate"
    AGAIN = "to be sent again"


class Settlement(NamedTuple):
    """A verdict and, where it is not SAFE, the reason in a line."""

    verdict: Verdict
    reason: str = ""

    @property
    def safe(self) -> bool:
        """Whether it need not be sent again."""
        return self.verdict is Verdict.SAFE


SAFE = Settlement(Verdict.SAFE)


class Receipt:
    """Made by a connector in the event loop, given along with its Arrival, and settled once by the gateway.

    Two arrivals need two receipts, though they came in one request.
    """

    def __init__(self) -> None:
        """Begin unsettled."""
        self._told: asyncio.Future[Settlement] = asyncio.get_running_loop().create_future()

    async def told(self, timeout_s: float) -> Settlement:
        """Wait until it is settled. Raises TimeoutError where it is not in time.

        It may still become safe then, and its repeat is dropped by id.
        """
        async with asyncio.timeout(timeout_s):
            return await asyncio.shield(self._told)

    def settle(self, verdict: Verdict = Verdict.SAFE, reason: str = "") -> None:
        """Say how it went; what was said first stays."""
        if not self._told.done():
            self._told.set_result(Settlement(verdict, reason or ("" if verdict is Verdict.SAFE else verdict.value)))
