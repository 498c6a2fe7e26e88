"""The way of one source's records to Kafka: memory first, behind it the spool, in order."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from echopulse.gateway.outgoing import Batch, Outgoing, unpacked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from echopulse.gateway.spool import Spool

WhenFull = Literal["block", "drop-oldest"]
SPOOL_FULL, SPOOL_ROTTEN, STOPPED = "spool_full", "spool_unreadable", "stopped"
_CHUNKS = 16


@dataclass
class Lane:
    """Holds at most `most_records` and `most_bytes` in memory (a batch larger than that has it to itself).

    With a spool, what finds no room goes there, and so does all that follows until the spool is empty: order is kept.
    Without one, `offer` waits. Records leave the bounds when they are acknowledged. `dropped` counts by reason.
    """

    most_records: int
    most_bytes: int
    spool: Spool | None = None
    when_full: WhenFull = "block"
    dropped: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Begin with what the spool holds."""
        self._memory: deque[Batch] = deque()
        self._changed = asyncio.Condition()
        self._closed = False
        self._held, self._spooled_resume = 0, ""
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
            elif not self.spool.empty or not self._has_room(batch):
                await self._to_spool(self.spool, batch.records)
                self._spooled_resume = batch.resume or self._spooled_resume
                if batch.receipts:
                    # Whatever the fsync policy: who was told that it is safe will not send it again.
                    await asyncio.to_thread(self.spool.sync)
                    batch.settle()
                self._move_resume("")
                self._changed.notify_all()
                return
            self._memory.append(batch)
            self._held += 1
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
            if batch.position is None:
                self.records -= len(batch.records)
                self.bytes -= batch.size
                self._held -= 1
                self._move_resume(batch.resume)
            elif self.spool is not None:
                await asyncio.to_thread(self.spool.acknowledge, batch.position)
            self._changed.notify_all()

    async def close(self) -> None:
        """Say that nothing follows: memory is still handed on, the spool keeps what it holds for the next start."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()

    def keep(self, taken: Sequence[Batch], offered: Sequence[Batch] = ()) -> None:
        """End: put what Kafka has not acknowledged into the spool and close it; without one, count it as lost.

        What was `taken` and what is in memory is older than all in the spool and goes before it; what was `offered`
        and found no room is newer and goes behind it.
        """
        older = [batch for batch in (*taken, *self._memory) if batch.position is None]
        self._memory.clear()
        spool = self.spool
        packed = [[r.packed() for batch in batches for r in batch.records] for batches in (older, offered)]
        # The newer ones first: behind `put_before` the spool takes no more.
        behind = spool is not None and spool.append(packed[1])
        kept = [spool is not None and spool.put_before(packed[0]), behind]
        if spool is not None:
            spool.close()
        for batches, payloads, safe in zip((older, offered), packed, kept, strict=True):
            if payloads and not safe:
                self.dropped[STOPPED] += len(payloads)
            for batch in batches:
                batch.settle("" if safe else "the gateway was stopped before Kafka had it")

    def _has_room(self, batch: Batch) -> bool:
        fits = self.records + len(batch.records) <= self.most_records and self.bytes + batch.size <= self.most_bytes
        return fits or not self.records

    def _move_resume(self, delivered: str) -> None:
        self.resume = delivered or self.resume
        if not self._held and self._spooled_resume:
            self.resume, self._spooled_resume = self._spooled_resume, ""

    def _spooled(self) -> bool:
        return self.spool is not None and self.spool.unread > 0

    async def _to_spool(self, spool: Spool, records: Sequence[Outgoing]) -> None:
        for chunk in _chunks([record.packed() for record in records], spool.most_bytes // _CHUNKS):
            while not await asyncio.to_thread(spool.append, chunk):
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
