"""The pulse of a running pipeline, read off its topics."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from echopulse.gateway.dead_letters import now_ms
from echopulse.job.live import ResultFeed
from schemas.topics import ANALYSIS, EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable

_DEADLINE_S = 30


def test_the_pulse_counts_from_the_start_on(bootstrap: str, write_topic: Callable[..., None]) -> None:
    """Events and results before it are not counted; channels are those that spoke since."""
    write_topic(EVENTS, [b"before"] * 2)
    write_topic(ANALYSIS, [b"before"] * 2, key="old")
    feed = ResultFeed(bootstrap)
    assert (feed.pulse().events_in, feed.pulse().analysed, feed.pulse().lag_ms) == (0, 0, None)
    feed.start()
    write_topic(EVENTS, [b"event"] * 5)
    write_topic(ANALYSIS, [b"result"] * 3, key="a", ts_ms=now_ms())
    write_topic(ANALYSIS, [b"result"], partition=2, key="b", ts_ms=now_ms() - 60_000)
    deadline = time.monotonic() + _DEADLINE_S
    while feed.analysed < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    pulse = feed.pulse()
    feed.end()
    assert not feed.is_alive()
    assert (pulse.events_in, pulse.analysed) == (5, 4)
    assert pulse.lag_ms is not None
    assert pulse.per_second > 0
    assert feed.channels == {"a": 3, "b": 1}
