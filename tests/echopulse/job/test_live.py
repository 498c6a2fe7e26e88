"""The pulse of a running pipeline, read off its topics."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from echopulse.gateway.dead_letters import now_ms
from echopulse.job.live import ResultFeed, channel_rows
from echopulse.job.scored import ScoredChannels
from schemas.topics import ANALYSIS, EVENTS
from tests.echopulse.job.results import result

if TYPE_CHECKING:
    from collections.abc import Callable

_DEADLINE_S = 30


def test_the_pulse_counts_from_the_start_on(bootstrap: str, write_topic: Callable[..., None]) -> None:
    """Events and results before it are not counted; channels are those that spoke since."""
    write_topic(EVENTS, [b"before"] * 2)
    write_topic(ANALYSIS, [result()] * 2, key="old")
    feed = ResultFeed(bootstrap)
    assert (feed.pulse().events_in, feed.pulse().analysed, feed.pulse().lag_ms) == (0, 0, None)
    feed.start()
    write_topic(EVENTS, [b"event"] * 5)
    write_topic(ANALYSIS, [result()] * 3, key="a", ts_ms=now_ms())
    write_topic(ANALYSIS, [result(sentiment="abstained:de")], partition=2, key="b", ts_ms=now_ms() - 60_000)
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
    assert [feed.scored.nobody("sentiment", name, 1) for name in ("a", "b")] == [False, True]


def test_rows_of_channels() -> None:
    """Most toxic first; no number where no model scored in the minute, or the channel is silent; none of a gone one."""
    scored = ScoredChannels()
    scored.note("de", 119_999, result(sentiment="abstained:de", toxicity="abstained:de"))
    scored.note("mixed", 119_999, result(sentiment="abstained:de"))
    answer: dict[str, list[Any]] = {
        "channel_id": ["silent", "de", "gone", "mixed", "en"],
        "message_count": [0, 2, None, 1, 3],
        "distinct_users": [0, 1, None, 1, 2],
        "toxic_share": [None, 0.0, None, 0.0, 0.5],
        "mean_toxicity": [None, 0.0, None, 0.1, 0.4],
        "sentiment_balance": [None, 0.0, None, 0.0, -0.5],
        "emoji_rate": [None, 0.5, None, 0.0, 0.0],
        "message_count__ts": [120, 120, 0, 120, 120],
    }
    rows = channel_rows(answer, scored, 124.5)
    assert [row["channel_id"] for row in rows] == ["en", "mixed", "silent", "de"]
    assert [row["mean_toxicity"] for row in rows] == [0.4, 0.1, None, None]
    assert [row["toxic_share"] for row in rows] == [0.5, 0.0, None, None]
    assert [row["sentiment_balance"] for row in rows] == [-0.5, None, None, None]
    assert [row["emoji_rate"] for row in rows] == [0.0, 0.0, None, 0.5]
    assert {row["age_s"] for row in rows} == {4.5}
