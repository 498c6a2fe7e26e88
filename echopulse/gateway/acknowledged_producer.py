"""Records on their way to Kafka, told when all of a batch are there."""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import repeat
from operator import length_hint
from typing import TYPE_CHECKING

from confluent_kafka import KafkaError, KafkaException

from echopulse.gateway.kafka_client import BoundedProducer
from echopulse.gateway.outgoing import EventRows
from schemas.errors import EchoPulseError
from schemas.topics import EVENTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confluent_kafka import Message

    from echopulse.gateway.bus import Refused
    from echopulse.gateway.outgoing import Outgoing

#: How often acknowledgements are fetched while any are awaited; seldom while none come.
_POLL_S, _SELDOM_S = 0.001, 0.008
_ANY_PARTITION = -1
#: A message waits without end for a broker that is away: what bounds it is the window before it, and what is behind
#: that window stays in the queues and spools. So an outage of any length loses nothing and re-sends nothing.
SETTINGS = {
    "message.timeout.ms": 0,
    "delivery.report.only.error": False,
    "linger.ms": 5,
    "queue.buffering.max.messages": 2_000_000,
    "queue.buffering.max.kbytes": 256 * 1024,
}


class AcknowledgedProducer:
    """Kafka as a Bus: an idempotent producer (acks=all) whose `send` is for the event loop in which it was made.

    Acknowledgements are fetched in that loop: a thread that waits for them takes the interpreter's lock for each, and
    where the loop is busy gets it once in five milliseconds.
    """

    def __init__(self, bootstrap: str) -> None:
        """Connect by and by."""
        self._producer = BoundedProducer(bootstrap, _ignore, SETTINGS)
        self._loop = asyncio.get_running_loop()
        self._waiting: set[asyncio.Future[Refused]] = set()
        # librdkafka's own doing, which it does not tell.
        self.reconnects = self.resent = 0
        self._pause_s = _POLL_S
        self._next: asyncio.TimerHandle | None = None

    def send(self, records: Sequence[Outgoing]) -> asyncio.Future[Refused]:
        """Send records in order; see RecordSink."""
        waiting = _Waiting(records, self._loop)
        self._waiting.add(waiting.future)
        waiting.future.add_done_callback(self._waiting.discard)
        if isinstance(records, EventRows):
            self._send_rows(records, waiting)
        else:
            for record in records:
                self._send_one(record, waiting)
        waiting.sent()
        if self._next is None:
            self._next = self._loop.call_later(_POLL_S, self._fetch)
        return waiting.future

    def _send_rows(self, rows: EventRows, waiting: _Waiting) -> None:
        """Call the client for each row; in C, since the loop itself would cost a tenth of the call."""
        values, sent = iter(rows.values), 0
        while sent < len(rows):
            fields = (values, rows.keys[sent:], repeat(_ANY_PARTITION), repeat(waiting.report), repeat(None))
            try:
                deque(map(self._producer.produce_now, repeat(EVENTS), *fields, rows.stamps[sent:].tolist()), maxlen=0)
            except (BufferError, KafkaException) as error:
                sent = len(rows) - length_hint(values)
                self._refuse(rows[sent - 1], error, waiting)
            else:
                return

    def _send_one(self, record: Outgoing, waiting: _Waiting) -> None:
        topic, key, value, ts, headers = record
        produce = self._producer.produce_now
        try:
            produce(topic, value, key, _ANY_PARTITION, waiting.report, None, ts, [*headers] if headers else None)
        except (BufferError, KafkaException) as error:
            self._refuse(record, error, waiting)

    def _refuse(self, record: Outgoing, error: BufferError | KafkaException, waiting: _Waiting) -> None:
        """Note a record as refused where it is at fault. Raises EchoPulseError where the client is."""
        if isinstance(error, KafkaException) and error.args[0].code() == KafkaError.MSG_SIZE_TOO_LARGE:
            waiting.refuse(record.value, f"{record.size} bytes: {error.args[0].str()}")
            return
        where = f"Kafka at {self._producer.bootstrap}"
        raise EchoPulseError(f"{where} takes no message on {record.topic}: {error}") from error

    async def close(self, within_s: float = 0.0) -> None:
        """Wait at most so long for what was sent; see Bus."""
        if self._waiting and within_s:
            await asyncio.wait(self._waiting, timeout=within_s)
        if self._next is not None:
            self._next.cancel()
        await asyncio.to_thread(self._producer.close)

    def _fetch(self) -> None:
        self._pause_s = _POLL_S if self._producer.poll() else min(2 * self._pause_s, _SELDOM_S)
        self._next = self._loop.call_later(self._pause_s, self._fetch) if self._waiting else None


class _Waiting:
    """Counts the reports of one batch; `report` is called where the producer is polled."""

    def __init__(self, records: Sequence[Outgoing], loop: asyncio.AbstractEventLoop) -> None:
        self._records, self._loop = records, loop
        self._left = len(records) + 1
        self._refused: list[tuple[bytes, str]] = []
        self.future: asyncio.Future[Refused] = loop.create_future()

    def report(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._refused.append((message.value() or b"", error.str()))
        self._left -= 1
        if not self._left:
            # Closing the producer reports from another thread.
            self._loop.call_soon_threadsafe(self._finish)

    def refuse(self, value: bytes, reason: str) -> None:
        self._refused.append((value, reason))
        self.sent()

    def sent(self) -> None:
        self._left -= 1
        if not self._left:
            self._loop.call_soon(self._finish)

    def _finish(self) -> None:
        if not self.future.done():
            reasons = dict(self._refused)
            refused = [(r, reasons[r.value]) for r in self._records if r.value in reasons] if reasons else []
            self.future.set_result(refused)


def _ignore(_error: KafkaError, _message: Message) -> None:
    """Each message has a report of its own."""
