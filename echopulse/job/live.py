"""The running pipeline as a person sees it: rates, lag, and the channels' features as Feast reads them."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confluent_kafka import TopicPartition

from echopulse.job.environment import feast_variables
from echopulse.job.scored import SCORED_BY, ScoredChannels
from echopulse.job.submit import FEATURES
from echopulse.job.topic_reader import consumer, end_position
from schemas.topics import ANALYSIS, EVENTS

if TYPE_CHECKING:
    from echopulse.settings import Settings

_RATE_SPAN_S = 10.0
_BATCH = 5_000
_CHANNELS_READ = 200
#: What the live page shows of each channel.
VIEW = "channel_1m"
FEATURES_SHOWN = ("message_count", "distinct_users", "toxic_share", "mean_toxicity", "sentiment_balance", "emoji_rate")
_WINDOW_MS = 60_000


@dataclass(frozen=True)
class Pulse:
    """One moment: events on Kafka and results read since the start, results a second, and how far behind, in ms.

    `events_in` is a difference of offsets; the ends of a replay's transactions take a few too.
    """

    events_in: int
    analysed: int
    per_second: float
    lag_ms: int | None


class ResultFeed(threading.Thread):
    """Reads `social.analysis` from its end on: how many results, how fresh, which channels speak, and who is scored."""

    def __init__(self, bootstrap: str) -> None:
        """Start reading where the topics end now."""
        super().__init__(name="result-feed", daemon=True)
        self._address = bootstrap
        self._events_before = sum(end_position(bootstrap, EVENTS).offsets.values())
        start = end_position(bootstrap, ANALYSIS)
        self._consumer = consumer(bootstrap)
        self._consumer.assign(
            [TopicPartition(ANALYSIS, partition, offset) for partition, offset in start.offsets.items()]
        )
        self._ended = threading.Event()
        self._arrivals: deque[tuple[float, int]] = deque()
        self._newest_ms: int | None = None
        self.analysed = 0
        self.channels: Counter[str] = Counter()
        self.scored = ScoredChannels()

    def run(self) -> None:
        """Read until told to end."""
        while not self._ended.is_set():
            messages = [m for m in self._consumer.consume(_BATCH, timeout=0.2) if m.error() is None]
            if messages:
                names = [(message.key() or b"").decode() for message in messages]
                for name, message in zip(names, messages, strict=True):
                    self.scored.note(name, message.timestamp()[1], message.value() or b"")
                self.channels.update(names)
                self._newest_ms = max(message.timestamp()[1] for message in messages)
                self.analysed += len(messages)
                self._arrivals.append((time.monotonic(), len(messages)))
        self._consumer.close()

    def end(self) -> None:
        """Stop reading."""
        self._ended.set()
        self.join(5.0)

    def pulse(self) -> Pulse:
        """Return the present moment; the rate is over the last ten seconds."""
        now = time.monotonic()
        while self._arrivals and self._arrivals[0][0] < now - _RATE_SPAN_S:
            self._arrivals.popleft()
        recent = sum(count for _, count in list(self._arrivals))
        lag = None if self._newest_ms is None else max(0, time.time_ns() // 1_000_000 - self._newest_ms)
        events = sum(end_position(self._address, EVENTS).offsets.values()) - self._events_before
        return Pulse(events, self.analysed, recent / _RATE_SPAN_S, lag)


class FeatureReader:
    """Reads the channels' features through Feast's own SDK. Opening it imports Feast, which costs seconds."""

    def __init__(self, settings: Settings) -> None:
        """Open the Feast store of the project."""
        from features.machinery.store import open_store

        self._store = open_store(FEATURES, feast_variables(settings))

    def channels(self, names: list[str], scored: ScoredChannels) -> list[dict[str, Any]]:
        """Return a row for each channel that has live values, most toxic first: its features, and their age in s.

        What no model scored in a channel's window, and what a silent channel has no value of, is None.
        """
        if not names:
            return []
        answer = self._store.get_online_features(
            [f"{VIEW}:{feature}" for feature in FEATURES_SHOWN],
            [{"channel_id": name} for name in names[:_CHANNELS_READ]],
        ).to_dict(include_event_timestamps=True)
        return channel_rows(answer, scored, time.time())


def channel_rows(answer: dict[str, list[Any]], scored: ScoredChannels, now: float) -> list[dict[str, Any]]:
    """Return the rows of Feast's answer of `FEATURES_SHOWN` with event timestamps; `now` in seconds UTC."""
    rows = []
    for place, name in enumerate(answer["channel_id"]):
        if answer[FEATURES_SHOWN[0]][place] is None:
            continue
        end_s = answer[f"{FEATURES_SHOWN[0]}__ts"][place]
        row = {"channel_id": name, **{feature: answer[feature][place] for feature in FEATURES_SHOWN}}
        for feature, kind in SCORED_BY.items():
            if scored.nobody(kind, name, 1_000 * end_s - _WINDOW_MS):
                row[feature] = None
        rows.append(row | {"age_s": round(now - end_s, 1)})
    return sorted(rows, key=lambda row: -1.0 if row["mean_toxicity"] is None else row["mean_toxicity"], reverse=True)
