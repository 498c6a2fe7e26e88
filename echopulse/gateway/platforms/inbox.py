"""Between a client library that calls back and a connector that yields; bounded: a full one stops the library."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from echopulse.gateway.connector import Arrival


class Inbox:
    """Holds at most `most` arrivals; `put` waits where it is full."""

    def __init__(self, most: int) -> None:
        """Begin empty."""
        self._arrivals: deque[Arrival] = deque()
        self._room = asyncio.Semaphore(most)
        self._news = asyncio.Event()
        self._error: Exception | None = None

    async def put(self, arrival: Arrival) -> None:
        """Take an arrival, waiting for room."""
        await self._room.acquire()
        self._arrivals.append(arrival)
        self._news.set()

    def fail(self, error: Exception) -> None:
        """Say that nothing follows what is held; the first error stays."""
        self._error = self._error or error
        self._news.set()

    async def taken(self) -> AsyncGenerator[Arrival, None]:
        """Yield arrivals in order, then raise what `fail` was given."""
        while True:
            while self._arrivals:
                self._room.release()
                yield self._arrivals.popleft()
            if self._error is not None:
                raise self._error
            self._news.clear()
            await self._news.wait()
