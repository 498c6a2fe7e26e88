"""While the last windows of a replay are waited for: its end is said again, and so is whom it waits for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable

    from echopulse.gateway.producer import EventProducer
    from echopulse.job.settle import AwaitedTask

#: Seconds between two lines on what is waited for.
TELL_EVERY_S = 15.0
#: Heartbeats in the time after which a silent partition is taken for idle.
_BEATS_A_TIMEOUT = 3


class LastWindows:
    """Called while a watermark is waited for: tells the task, and keeps the sources from falling idle.

    Of a source that falls silent Flink says downstream that it is idle, and drops each watermark that comes behind
    that. Where a Python function still holds rows, it holds the watermark back but not the idleness
    (`AbstractPythonFunctionOperator`, `RecordWriterOutput.emitWatermark` of Flink 2.3): the last watermark comes too
    late, and the windows behind that function stay open for good. So heartbeats go on, each a ms later, for a watermark
    that does not rise is not sent on either: then also what was dropped, or forgotten in a restart, comes again.
    """

    def __init__(
        self,
        producer: EventProducer,
        heartbeat_ms: int,
        idle_timeout_ms: int,
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`heartbeat_ms` (UTC) is the time of the closing heartbeat, which has been sent just now."""
        self._producer, self._tell, self._clock = producer, tell, clock
        self._heartbeat_ms = heartbeat_ms
        self._beat_every_s = min(TELL_EVERY_S, idle_timeout_ms / 1_000 / _BEATS_A_TIMEOUT)
        self._beat_s = self._told_s = clock()

    def __call__(self, awaited: AwaitedTask) -> None:
        """Do what is due. A heartbeat that fails is told: how long the wait may last is bounded elsewhere."""
        if self._clock() - self._beat_s >= self._beat_every_s:
            self._heartbeat_ms += 1
            try:
                self._producer.heartbeat(self._heartbeat_ms)
            except EchoPulseError as error:
                self._tell(str(error))
            self._beat_s = self._clock()
        if self._clock() - self._told_s >= TELL_EVERY_S:
            self._tell(f"waiting for {awaited}: {awaited.behind}")
            self._told_s = self._clock()
