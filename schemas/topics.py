"""Every Kafka topic, declared once: partitions, retention and timestamps."""

from __future__ import annotations

from dataclasses import dataclass

SECOND_MS = 1_000
HOUR_MS = 3_600 * SECOND_MS
DAY_MS = 24 * HOUR_MS

EVENTS = "social.events"
ANALYSIS = "social.analysis"
SHADOW = "social.shadow"
TRENDS = "social.trends"
CONVERSATIONS = "social.conversations"
HEALTH = "social.health"
DLQ = "social.dlq"
DLQ_REPLAYS = "social.dlq.replays"
MODEL_DRIFT = "model.drift"

#: Oldest and furthest event times that the broker takes on `social.events`; the gateway checks the same limits first.
#: Ten years back, so that history can be replayed with its own times; an hour ahead, the broker's own default.
EVENTS_MAX_AGE_MS = 3_650 * DAY_MS
EVENTS_MAX_AHEAD_MS = HOUR_MS

#: A megabyte of text in a protobuf and its headers.
MAX_MESSAGE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Topic:
    """A topic with its partitions, its retention in ms (and bytes a partition, -1: no limit), its clean-up policy."""

    name: str
    partitions: int
    retention_ms: int
    retention_bytes: int = -1
    cleanup_policy: str = "delete"
    max_age_ms: int = EVENTS_MAX_AGE_MS
    max_ahead_ms: int = EVENTS_MAX_AHEAD_MS

    @property
    def config(self) -> dict[str, str]:
        """The broker's settings for this topic, as Kafka names them."""
        return {
            "cleanup.policy": self.cleanup_policy,
            "message.timestamp.type": "CreateTime",
            "message.timestamp.before.max.ms": str(self.max_age_ms),
            "message.timestamp.after.max.ms": str(self.max_ahead_ms),
            "max.message.bytes": str(MAX_MESSAGE_BYTES),
            "retention.ms": str(self.retention_ms),
            "retention.bytes": str(self.retention_bytes),
        }


#: Events keep ten years of event time, bounded by bytes; results and dead letters a week of event time or longer,
#: because their record timestamps are event times too: a replay of old events must not expire on arrival.
TOPICS: tuple[Topic, ...] = (
    Topic(EVENTS, partitions=4, retention_ms=EVENTS_MAX_AGE_MS, retention_bytes=4 * 1024**3),
    Topic(ANALYSIS, partitions=4, retention_ms=EVENTS_MAX_AGE_MS, retention_bytes=4 * 1024**3),
    Topic(SHADOW, partitions=4, retention_ms=EVENTS_MAX_AGE_MS, retention_bytes=1024**3),
    Topic(TRENDS, partitions=4, retention_ms=EVENTS_MAX_AGE_MS, retention_bytes=1024**3),
    Topic(CONVERSATIONS, partitions=4, retention_ms=EVENTS_MAX_AGE_MS, retention_bytes=1024**3),
    Topic(HEALTH, partitions=4, retention_ms=EVENTS_MAX_AGE_MS, retention_bytes=1024**3),
    Topic(DLQ, partitions=1, retention_ms=EVENTS_MAX_AGE_MS, retention_bytes=1024**3),
    Topic(MODEL_DRIFT, partitions=1, retention_ms=EVENTS_MAX_AGE_MS, retention_bytes=1024**3),
    # Which dead letters were replayed, by letter: compacted, for a letter stays replayed as long as it is there.
    Topic(DLQ_REPLAYS, 1, EVENTS_MAX_AGE_MS, retention_bytes=1024**3, cleanup_policy="compact"),
)
