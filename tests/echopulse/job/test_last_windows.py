"""What is done while a replay's last windows are waited for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from echopulse.job.last_windows import TELL_EVERY_S, LastWindows
from echopulse.job.settle import AwaitedTask
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from echopulse.gateway.producer import EventProducer

TASK = AwaitedTask("windows", 3, 9, 120_000)


@dataclass
class _Kafka:
    """Takes heartbeats, or refuses them."""

    away: bool = False
    beats: list[int] = field(default_factory=list)

    def heartbeat(self, ts_ms: int) -> None:
        self.beats.append(ts_ms)
        if self.away:
            raise EchoPulseError("a heartbeat was refused")


def _waited(kafka: _Kafka, seconds: range, idle_timeout_ms: int) -> list[str]:
    """Wait from second to second and return what was told."""
    told: list[str] = []
    now = 0.0
    wait = LastWindows(cast("EventProducer", kafka), 1_000, idle_timeout_ms, told.append, lambda: now)
    for second in seconds:
        now = float(second)
        wait(TASK)
    return told


def test_the_end_is_said_again_before_any_partition_is_idle_and_each_time_later() -> None:
    """A watermark that does not rise is not sent on; none is so much later that another window would fire."""
    kafka = _Kafka()
    _waited(kafka, range(31), 30_000)
    assert kafka.beats == [1_001, 1_002, 1_003]


def test_a_long_time_until_idle_is_not_waited_for() -> None:
    """What a restart forgot comes again in seconds."""
    kafka = _Kafka()
    _waited(kafka, range(46), 24 * 3_600_000)
    assert kafka.beats == [1_001, 1_002, 1_003]


def test_whom_it_waits_for_is_told_every_fifteen_seconds() -> None:
    """Not at once: a wait of seconds needs no word."""
    told = _waited(_Kafka(), range(46), 60_000)
    assert TELL_EVERY_S == 15
    assert told == ["waiting for task 3 of 9, windows: its watermark is 120.0 s behind the end"] * 3


def test_a_heartbeat_that_fails_is_told_and_tried_again() -> None:
    """How long a broker may be away is for the wait to say."""
    kafka = _Kafka(away=True)
    assert _waited(kafka, range(11), 15_000) == ["a heartbeat was refused"] * 2
    assert kafka.beats == [1_001, 1_002]
