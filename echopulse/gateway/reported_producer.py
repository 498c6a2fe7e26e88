"""librdkafka's producer for whole columns; what becomes of each row is counted by batch, without a call for each."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from echopulse.gateway.kafka_client import CLIENT_LOG, client_settings
from echopulse.gateway.kafka_rows import produce_one, produce_rows, row_known_by, take_reports
from echopulse.gateway.librdkafka import PURGE_ALL, function, new_producer, reason_of, told
from transforms.buffers import string_buffers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from echopulse.gateway.outgoing import Outgoing

#: Keys, values and times in ms UTC.
Columns = tuple[pa.BinaryArray, pa.BinaryArray, NDArray[np.int64]]
_FIRST_SLOTS, _FAILURES = 64, 256
#: How long closing waits for the client to give back what it no longer sends.
_PURGE_S, _PURGE_POLL_S = 2.0, 0.01


class Failure(NamedTuple):
    """A row of a batch that Kafka has not, and why."""

    slot: int
    row: int
    reason: str


class Reports(NamedTuple):
    """What has come back: how many reports, the batches that are over, and the rows that failed, of any batch."""

    served: int
    over: list[int]
    failed: list[Failure]


class ReportedProducer:
    """An idempotent producer (acks=all). A batch begins, gives its rows, and is over when each has its report.

    For one thread. What it gives is copied at once.
    """

    def __init__(self, bootstrap: str, overrides: Mapping[str, object]) -> None:
        """Connect by and by. Raises EchoPulseError for a setting that the client does not know."""
        self.bootstrap = bootstrap
        self._producer = new_producer(client_settings(bootstrap) | dict(overrides))
        self._queue: int = function("queue_get_main")(self._producer)
        self._topics: dict[str, int] = {}
        self._left = np.zeros(_FIRST_SLOTS, np.int64)
        self._free = list(range(_FIRST_SLOTS))
        self._over = np.zeros(_FIRST_SLOTS, np.int64)
        self._failed = np.zeros((_FAILURES, 3), np.int64)
        self._event = 0

    def begin(self, rows: int) -> int:
        """Return the slot of a batch that is over after so many reports."""
        if not self._free:
            count = len(self._left)
            self._free = list(range(count, 2 * count))
            self._left = np.concatenate([self._left, np.zeros(count, np.int64)])
            self._over = np.zeros(2 * count, np.int64)
        slot = self._free.pop()
        self._left[slot] = rows
        return slot

    def send_rows(self, slot: int, topic: str, columns: Columns, at: int, first: int = 0) -> tuple[int, int]:
        """Send a batch's rows from the columns' place `at` on; their first is the batch's row `first`.

        Returns the place where it ended, and the error there: 0 behind the last.
        """
        keys, values, stamps = columns
        (key_bytes, key_offsets), (value_bytes, value_offsets) = string_buffers(keys), string_buffers(values)
        known, handle = row_known_by(slot, first), self._topic(topic)
        place, code = produce_rows(
            self._producer, handle, known, key_bytes, key_offsets, value_bytes, value_offsets, stamps, at
        )
        return int(place), int(code)

    def send_one(self, slot: int, row: int, record: Outgoing) -> int:
        """Send a record with its headers as a row of a batch; return the error, 0 for none."""
        topic, key, value, ts, headers = record
        named = [(name.encode(), content) for name, content in headers]
        return produce_one(self._producer, self._topic(topic), row_known_by(slot, row), (key, value, ts, named))

    def settle(self, slot: int, rows: int = 1) -> bool:
        """Count so many rows of a batch that will have no report; return whether it is over, and its slot free."""
        self._left[slot] -= rows
        if over := not self._left[slot]:
            self._free.append(slot)
        return over

    def reports(self) -> Reports:
        """Take in what has come back, without waiting."""
        served, over, failed = 0, list[int](), list[Failure]()
        while True:
            taken = take_reports(self._queue, self._event, self._left, self._over, self._failed)
            self._event, more, overs, failures = map(int, taken)
            served += more
            over += self._over[:overs].tolist()
            failed += [Failure(slot, row, reason_of(code)) for slot, row, code in self._failed[:failures].tolist()]
            if not self._event:
                break
            if failures < _FAILURES:
                CLIENT_LOG.warning(told(self._event))
                self._event = 0
        self._free += over
        return Reports(served, over, failed)

    def give_up(self) -> Reports:
        """Drop what is still on its way: each row of it has failed. Waits for the client, 2 s at most."""
        function("purge")(self._producer, PURGE_ALL)
        until = time.monotonic() + _PURGE_S
        served, over, failed = self.reports()
        while function("outq_len")(self._producer) and time.monotonic() < until:
            time.sleep(_PURGE_POLL_S)
            more = self.reports()
            served, over, failed = served + more.served, over + more.over, failed + more.failed
        return Reports(served, over, failed)

    def close(self) -> None:
        """Drop the connection; what is on its way is lost, so give up first. Waits for the client's threads.

        Nothing else may be called afterwards.
        """
        for topic in self._topics.values():
            function("topic_destroy")(topic)
        function("queue_destroy")(self._queue)
        function("destroy")(self._producer)

    def _topic(self, name: str) -> int:
        if name not in self._topics:
            self._topics[name] = function("topic_new")(self._producer, name.encode(), None)
        return self._topics[name]
