"""The way of one source's records to Kafka: memory first, behind it the spool, in order."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from echopulse.gateway.outgoing import Batch, Outgoing, unpacked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from echopulse.gateway.spool import Position, Spool

WhenFull = Literal["block", "drop-oldest"]
SPOOL_FULL, SPOOL_ROTTEN, STOPPED = "spool_full", "spool_unreadable", "stopped"
_CHUNKS = 16


@dataclass(eq=False)
class _Held:
    """A batch in memory or on its way from there; `copy` is the place behind its copy in the spool, if there is one."""

    batch: Batch
    copy: Position | None = None


@dataclass
class Lane:
    """Holds at most `most_records` and `most_bytes` in memory (a batch larger than that has it to itself).

    With a spool, what finds no room goes there, and so does all that follows until the spool is empty: order is kept.
    What memory holds is copied there first, so that a spool in use has all that Kafka has not acknowledged, in order,
    whenever the process dies. Without one, `offer` waits. Records leave the bounds when they are acknowledged.
    `dropped` counts by reason.
    """

    most_records: int
    most_bytes: int
    spool: Spool | None = None
    when_full: WhenFull = "block"
    dropped: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Begin with what the spool holds."""
        self._memory: deque[Batch] = deque()
        self._held: deque[_Held] = deque()
        self._changed = asyncio.Condition()
        self._closed = False
        self.records = self.bytes = 0
        #: Where to go on after a crash: every frame up to it is in Kafka or in the spool.
        self.resume = ""

    async def offer(self, batch: Batch) -> None:
        """Take a batch, waiting where neither memory nor spool has room."""
        if not batch.records:
            batch.settle()
            if not batch.resume:
                return
        async with self._changed:
            if self.spool is None:
                await self._changed.wait_for(lambda: self._has_room(batch))
            elif not self.spool.empty or (batch.records and not self._has_room(batch)):
                await self._spill(self.spool, batch)
                return
            self._memory.append(batch)
            self._held.append(_Held(batch))
            self.records += len(batch.records)
            self.bytes += batch.size
            self._changed.notify_all()

    async def take(self, most_records: int, most_bytes: int) -> Batch | None:
        """Wait for the next batch, the oldest; None once closed, with nothing left in memory."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._memory or self._spooled() or self._closed)
            if self._memory:
                return self._memory.popleft()
            if self._closed or self.spool is None:
                return None
            taken = await asyncio.to_thread(self.spool.read, most_records, most_bytes)
            if self.spool.rotten:
                self.dropped[SPOOL_ROTTEN] += self.spool.rotten
                self.spool.rotten = 0
            return Batch([unpacked(data) for _, data in taken], taken[-1][0] if taken else None)

    async def acknowledge(self, batch: Batch, refused: str = "") -> None:
        """Let a batch go that Kafka has, or part of which it `refused` with that reason; in the order of `take`."""
        batch.settle(refused)
        async with self._changed:
            position = batch.position
            if position is None:
                position = self._held.popleft().copy
                self.records -= len(batch.records)
                self.bytes -= batch.size
                if self.spool is None or self.spool.empty:
                    self.resume = batch.resume or self.resume
            if position is not None and self.spool is not None:
                await asyncio.to_thread(self.spool.acknowledge, position)
            self._changed.notify_all()

    async def close(self) -> None:
        """Say that nothing follows: memory is still handed on, the spool keeps what it holds for the next start."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()

    def keep(self, offered: Sequence[Batch] = ()) -> None:
        """End: put what Kafka has not acknowledged into the spool and close it; without one, count it as lost.

        What was `offered` and found no room is newer than all that is held, and goes behind it.
        """
        self._memory.clear()
        spool, safe, lost = self.spool, list[Batch](), list[Batch]()
        for held in (*self._held, *map(_Held, offered)):
            copied = spool is not None and held.copy is not None and spool.holds(held.copy)
            kept = copied or (spool is not None and spool.append([record.packed() for record in held.batch.records]))
            (safe if kept else lost).append(held.batch)
        if spool is not None:
            spool.close()
        for batch in safe:
            batch.settle()
        for batch in lost:
            if batch.records:
                self.dropped[STOPPED] += len(batch.records)
            batch.settle("the gateway was stopped before Kafka had it")

    def _has_room(self, batch: Batch) -> bool:
        fits = self.records + len(batch.records) <= self.most_records and self.bytes + batch.size <= self.most_bytes
        return fits or not self.records

    def _spooled(self) -> bool:
        return self.spool is not None and self.spool.unread > 0

    async def _spill(self, spool: Spool, batch: Batch) -> None:
        kept = [batch]
        if spool.empty:
            for held in list(self._held):
                # Kafka may acknowledge the oldest while a full spool is waited for.
                if held in self._held:
                    await self._to_spool(spool, held.batch.records, held=True)
                    held.copy = spool.end
                    kept.append(held.batch)
        await self._to_spool(spool, batch.records)
        self.resume = batch.resume or self.resume
        if any(each.receipts for each in kept):
            # Whatever the fsync policy: who was told that it is safe will not send it again.
            await asyncio.to_thread(spool.sync)
            for each in kept:
                each.settle()
        self._changed.notify_all()

    async def _to_spool(self, spool: Spool, records: Sequence[Outgoing], *, held: bool = False) -> None:
        for chunk in _chunks([record.packed() for record in records], spool.most_bytes // _CHUNKS):
            while not await asyncio.to_thread(spool.append, chunk, held=held):
                if self.when_full == "block":
                    await self._changed.wait()
                else:
                    self.dropped[SPOOL_FULL] += await asyncio.to_thread(spool.drop_oldest)


def _chunks(payloads: Sequence[bytes], most_bytes: int) -> list[list[bytes]]:
    """Split payloads so that each part fits where a sixteenth of the spool is free."""
    parts: list[list[bytes]] = []
    size = 0
    for payload in payloads:
        if not parts or size + len(payload) > most_bytes:
            parts.append([])
            size = 0
        parts[-1].append(payload)
        size += len(payload)
    return parts
