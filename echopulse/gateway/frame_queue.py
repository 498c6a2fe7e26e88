"""The queue between a socket and Kafka, bounded in frames and in bytes."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import deque
from contextlib import suppress
from itertools import accumulate
from typing import TYPE_CHECKING

from echopulse.gateway.burst import datas_of, joined, size_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from echopulse.gateway.connector import Arrival


class FrameQueue:
    """A queue whose `put` waits while it is full; asyncio's own bounds the number of items, not their bytes.

    Frames that came together are held together, and parted only where the bounds do.
    """

    def __init__(self, frames: int, size: int) -> None:
        """Hold at most `frames` frames and `size` bytes; a frame larger than that has the queue to itself."""
        self._most, self._most_bytes = frames, size
        self._parts: deque[Sequence[Arrival]] = deque()
        self._count = self._bytes = 0
        self._closed = False
        # Events, not a Condition: its lock costs more than the frame, and one loop has nothing to lock out.
        self._came, self._left, self._enough = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._wanted = 0

    def __len__(self) -> int:
        """Return the number of frames that wait."""
        return self._count

    @property
    def bytes(self) -> int:
        """Return the bytes of the frames that wait."""
        return self._bytes

    async def put(self, frame: Arrival) -> None:
        """Append a frame as soon as there is room."""
        await self.put_some([frame])

    async def put_some(self, frames: Sequence[Arrival]) -> int:
        """Append the first of some frames as soon as there is room, and those behind it that have room too.

        Returns how many were appended.
        """
        first = len(frames[0].data)
        while self._count and (self._count >= self._most or self._bytes + first > self._most_bytes):
            self._left.clear()
            await self._left.wait()
        fitting = self._fitting(frames)
        self.put_beyond(fitting)
        return len(fitting)

    def put_beyond(self, frames: Sequence[Arrival]) -> None:
        """Append frames whatever the bounds: the last ones, in hand when nothing more is read."""
        self._parts.append(frames)
        self._count += len(frames)
        self._bytes += size_of(frames)
        self._came.set()
        if self._count >= self._wanted:
            self._enough.set()

    async def take(self, most: int, linger_s: float) -> Sequence[Arrival]:
        """Wait for a frame, then up to `linger_s` seconds for `most`; nothing once the queue is closed and empty."""
        while not self._count and not self._closed:
            self._came.clear()
            await self._came.wait()
        if self._count < most and not self._closed:
            self._wanted = most
            self._enough.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(linger_s):
                    await self._enough.wait()
        taken: list[Sequence[Arrival]] = []
        while self._parts and most > 0:
            part = self._parts.popleft()
            if len(part) > most:
                self._parts.appendleft(part[most:])
                part = part[:most]
            taken.append(part)
            most -= len(part)
            self._count -= len(part)
            self._bytes -= size_of(part)
        self._left.set()
        return joined(taken)

    def rest(self) -> list[Arrival]:
        """Return the frames that wait, and leave them there."""
        return [frame for part in self._parts for frame in part]

    def close(self) -> None:
        """Say that no frame follows."""
        self._closed = True
        self._came.set()
        self._enough.set()

    def _fitting(self, frames: Sequence[Arrival]) -> Sequence[Arrival]:
        room, room_bytes = max(1, self._most - self._count), self._most_bytes - self._bytes
        if len(frames) > room:
            frames = frames[:room]
        if size_of(frames) <= room_bytes:
            return frames
        ends = list(accumulate(map(len, datas_of(frames))))
        return frames[: max(1, bisect_right(ends, room_bytes))]
