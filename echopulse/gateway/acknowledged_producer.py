"""Records on their way to Kafka, told when all of a batch are there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from echopulse.gateway.librdkafka import TOO_LARGE, reason_of
from echopulse.gateway.outgoing import EventRows
from echopulse.gateway.reported_producer import ReportedProducer
from schemas.errors import EchoPulseError
from schemas.topics import EVENTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from echopulse.gateway.bus import Refused
    from echopulse.gateway.outgoing import Outgoing
    from echopulse.gateway.reported_producer import Columns, Reports

#: How often acknowledgements are fetched while any are awaited; seldom while none come.
_POLL_S, _SELDOM_S = 0.001, 0.008
#: A message waits without end for a broker that is away: what bounds it is the window before it, and what is behind
#: that window stays in the queues and spools. So an outage of any length loses nothing and re-sends nothing.
SETTINGS = {
    "message.timeout.ms": 0,
    "linger.ms": 5,
    "queue.buffering.max.messages": 2_000_000,
    "queue.buffering.max.kbytes": 256 * 1024,
}


@dataclass(eq=False)
class _Batch:
    """Records on their way, and those of them that were refused."""

    records: Sequence[Outgoing]
    future: asyncio.Future[Refused]
    refused: dict[int, str] = field(default_factory=dict)


class AcknowledgedProducer:
    """Kafka as a Bus: an idempotent producer (acks=all) whose `send` is for the event loop in which it was made.

    Acknowledgements are fetched in that loop: a thread that waits for them takes the interpreter's lock for each, and
    where the loop is busy gets it once in five milliseconds.
    """

    def __init__(self, bootstrap: str) -> None:
        """Connect by and by."""
        self._producer = ReportedProducer(bootstrap, SETTINGS)
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[int, _Batch] = {}
        # librdkafka's own doing, which it does not tell.
        self.reconnects = self.resent = 0
        self._pause_s, self._closed = _POLL_S, False
        self._next: asyncio.TimerHandle | None = None

    def send(self, records: Sequence[Outgoing]) -> asyncio.Future[Refused]:
        """Send records in order; see RecordSink."""
        if self._closed:
            raise EchoPulseError(f"the producer for Kafka at {self._producer.bootstrap} is closed")
        batch = _Batch(records, self._loop.create_future())
        # One more than there are: it is not over before all are sent.
        slot = self._producer.begin(len(records) + 1)
        self._waiting[slot] = batch
        if isinstance(records, EventRows):
            self._send_rows(slot, 0, EVENTS, (records.keys, records.values, records.stamps))
        else:
            self._send_records(slot, records)
        self._settle(slot)
        if self._next is None and self._waiting:
            self._next = self._loop.call_later(_POLL_S, self._fetch)
        return batch.future

    async def close(self, within_s: float = 0.0) -> None:
        """Wait at most so long for what was sent; see Bus."""
        if self._closed:
            return
        if self._waiting and within_s:
            await asyncio.wait({batch.future for batch in self._waiting.values()}, timeout=within_s)
        # What is called on a client that is gone ends the process.
        self._closed = True
        if self._next is not None:
            self._next.cancel()
        self._take(await asyncio.to_thread(self._producer.give_up))
        await asyncio.to_thread(self._producer.close)

    def _send_records(self, slot: int, records: Sequence[Outgoing]) -> None:
        """Send records one by one where they have headers, the others of a topic that follow each other together."""
        first = 0
        for (topic, headed), group in groupby(records, lambda record: (record.topic, bool(record.headers))):
            part = list(group)
            if headed:
                for row, record in enumerate(part, first):
                    if code := self._producer.send_one(slot, row, record):
                        self._refuse(slot, row, code)
            else:
                keys, values = (
                    pa.array(column, pa.binary()) for column in ([r.key for r in part], [r.value for r in part])
                )
                self._send_rows(slot, first, topic, (keys, values, np.array([record.ts for record in part], np.int64)))
            first += len(part)

    def _send_rows(self, slot: int, first: int, topic: str, columns: Columns) -> None:
        """Send the columns of rows that are in their batch from `first` on."""
        at = 0
        while at < len(columns[2]):
            at, code = self._producer.send_rows(slot, topic, columns, at, first)
            if code:
                self._refuse(slot, first + at, code)
                at += 1

    def _refuse(self, slot: int, row: int, code: int) -> None:
        """Note a record as refused where it is at fault. Raises EchoPulseError where the client is."""
        batch = self._waiting[slot]
        record = batch.records[row]
        if code != TOO_LARGE:
            where = f"Kafka at {self._producer.bootstrap}"
            raise EchoPulseError(f"{where} takes no message on {record.topic}: {reason_of(code)}")
        batch.refused[row] = f"{record.size} bytes: {reason_of(code)}"
        self._settle(slot)

    def _settle(self, slot: int) -> None:
        if self._producer.settle(slot):
            self._finish(slot)

    def _fetch(self) -> None:
        reports = self._producer.reports()
        self._take(reports)
        self._pause_s = _POLL_S if reports.served else min(2 * self._pause_s, _SELDOM_S)
        self._next = self._loop.call_later(self._pause_s, self._fetch) if self._waiting else None

    def _take(self, reports: Reports) -> None:
        for slot, row, reason in reports.failed:
            self._waiting[slot].refused[row] = reason
        for slot in reports.over:
            self._finish(slot)

    def _finish(self, slot: int) -> None:
        batch = self._waiting.pop(slot)
        if not batch.future.done():
            batch.future.set_result([(batch.records[row], reason) for row, reason in sorted(batch.refused.items())])
