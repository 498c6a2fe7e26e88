"""The queue between a socket and Kafka, bounded in frames and in bytes."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import deque
from itertools import accumulate
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence


class Sized(Protocol):
    """What has bytes: a frame, an arrival."""

    @property
    def data(self) -> bytes:
        """Its bytes."""


F = TypeVar("F", bound=Sized)


class FrameQueue(Generic[F]):
    """A queue whose `put` waits while it is full; asyncio's own bounds the number of items, not their bytes."""

    def __init__(self, frames: int, size: int) -> None:
        """Hold at most `frames` frames and `size` bytes; a frame larger than that has the queue to itself."""
        self._most, self._most_bytes = frames, size
        self._frames: deque[F] = deque()
        self._bytes = 0
        self._closed = False
        # Events, not a Condition: its lock costs more than the frame, and one loop has nothing to lock out.
        self._came, self._left = asyncio.Event(), asyncio.Event()

    def __len__(self) -> int:
        """Return the number of frames that wait."""
        return len(self._frames)

    @property
    def bytes(self) -> int:
        """Return the bytes of the frames that wait."""
        return self._bytes

    async def put(self, frame: F) -> None:
        """Append a frame as soon as there is room."""
        while not self._has_room(frame):
            self._left.clear()
            await self._left.wait()
        self._frames.append(frame)
        self._bytes += len(frame.data)
        self._came.set()

    async def put_some(self, frames: Sequence[F]) -> int:
        """Append the first of some frames as soon as there is room, and those behind it that have room too.

        Returns how many were appended.
        """
        await self.put(frames[0])
        rest = frames[1 : 1 + max(0, self._most - len(self._frames))]
        ends = list(accumulate([len(frame.data) for frame in rest]))
        fitting = bisect_right(ends, self._most_bytes - self._bytes)
        if fitting:
            self._frames.extend(rest[:fitting])
            self._bytes += ends[fitting - 1]
        return 1 + fitting

    def put_beyond(self, frames: Sequence[F]) -> None:
        """Append frames beyond the bounds: the last ones, in hand when nothing more is read."""
        self._frames.extend(frames)
        self._bytes += sum([len(frame.data) for frame in frames])
        self._came.set()

    async def take(self, most: int, linger_s: float) -> list[F]:
        """Wait for a frame, then up to `linger_s` seconds for `most`; nothing once the queue is closed and empty."""
        while not self._frames and not self._closed:
            self._came.clear()
            await self._came.wait()
        if len(self._frames) < most and not self._closed:
            await asyncio.sleep(linger_s)
        if len(self._frames) <= most:
            taken = list(self._frames)
            self._frames.clear()
            self._bytes = 0
        else:
            taken = [self._frames.popleft() for _ in range(most)]
            self._bytes -= sum([len(frame.data) for frame in taken])
        self._left.set()
        return taken

    def rest(self) -> list[F]:
        """Return the frames that wait, and leave them there."""
        return list(self._frames)

    def close(self) -> None:
        """Say that no frame follows."""
        self._closed = True
        self._came.set()

    def _has_room(self, frame: F) -> bool:
        fits = len(self._frames) < self._most and self._bytes + len(frame.data) <= self._most_bytes
        return fits or not self._frames
