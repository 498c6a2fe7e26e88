"""The queue between a socket and Kafka, bounded in frames and in bytes."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, Protocol, TypeVar


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
        self._changed = asyncio.Condition()

    def __len__(self) -> int:
        """Return the number of frames that wait."""
        return len(self._frames)

    @property
    def bytes(self) -> int:
        """Return the bytes of the frames that wait."""
        return self._bytes

    async def put(self, frame: F) -> None:
        """Append a frame as soon as there is room."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._has_room(frame))
            self._frames.append(frame)
            self._bytes += len(frame.data)
            self._changed.notify_all()

    async def take(self, most: int, linger_s: float) -> list[F]:
        """Wait for a frame, then up to `linger_s` seconds for `most`; nothing once the queue is closed and empty."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._frames or self._closed)
        if len(self._frames) < most and not self._closed:
            await asyncio.sleep(linger_s)
        async with self._changed:
            taken = [self._frames.popleft() for _ in range(min(most, len(self._frames)))]
            self._bytes -= sum(len(frame.data) for frame in taken)
            self._changed.notify_all()
        return taken

    def rest(self) -> list[F]:
        """Return the frames that wait, and leave them there."""
        return list(self._frames)

    async def close(self) -> None:
        """Say that no frame follows."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _has_room(self, frame: F) -> bool:
        fits = len(self._frames) < self._most and self._bytes + len(frame.data) <= self._most_bytes
        return fits or not self._frames
