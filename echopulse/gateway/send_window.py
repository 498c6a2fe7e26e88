"""How many bytes may be on their way to Kafka: as many as it acknowledges in time."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LEAST, _MOST, _STEP = 256 * 1024, 64 * 1024 * 1024, 256 * 1024
_CUT = 0.7


class SendWindow:
    """Additive increase, multiplicative decrease (Chiu and Jain, 1989) over bytes in flight.

    An acknowledgement within `target_s` adds its share of a step; a later one cuts the window, once in the time that
    it took: what was sent before the cut says nothing of the window behind it.
    """

    def __init__(self, target_s: float = 0.2, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with 16 steps."""
        self.limit, self.in_flight = 16 * _STEP, 0
        self._target_s, self._clock, self._cut_at = target_s, clock, float("-inf")
        self._changed = asyncio.Event()

    async def enter(self, size: int) -> None:
        """Wait until so many bytes may be sent; more than the window alone."""
        while self.in_flight and self.in_flight + size > self.limit:
            self._changed.clear()
            await self._changed.wait()
        self.in_flight += size

    def leave(self, size: int, latency_s: float) -> None:
        """Say that they were acknowledged after so many seconds."""
        self.in_flight -= size
        now = self._clock()
        if latency_s <= self._target_s:
            self.limit = min(_MOST, self.limit + max(1, _STEP * size // self.limit))
        elif now - latency_s >= self._cut_at:
            self.limit, self._cut_at = max(_LEAST, int(self.limit * _CUT)), now
        self._changed.set()
