"""Accounting: every event that went in is analysed, dead-lettered or a repeat, and nothing came out twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from echopulse.gateway.dead_letters import PART_HEADER
from echopulse.job.topic_reader import Position, end_position, read_batches
from schemas import topics
from schemas.avro import decode_analysis, decode_dead_letter
from schemas.codec import decode_events

if TYPE_CHECKING:
    from confluent_kafka import Message

_KEY = ["channel_id", "event_id"]
#: Only heartbeats carry it.
_HEARTBEAT_HEADER = "kind"


@dataclass(frozen=True)
class Books:
    """Counts of one span of the topics, all of them read from the topics themselves.

    `unaccounted` is the number of events without an outcome plus the outcomes without an event or beyond the first.
    """

    events_in: int
    analysed: int
    dlq: int
    repeats: int
    unaccounted: int


def positions(bootstrap: str) -> dict[str, Position]:
    """Return where the three topics end now."""
    return {name: end_position(bootstrap, name) for name in (topics.EVENTS, topics.ANALYSIS, topics.DLQ)}


def audit(bootstrap: str, start: dict[str, Position]) -> Books:
    """Read the three topics from `start` to their ends and balance them; events are matched by channel and id."""
    stop = positions(bootstrap)

    def span(topic: str) -> list[Message]:
        return [m for batch in read_batches(bootstrap, start[topic], stop[topic]) for m in batch]

    events = _events(span(topics.EVENTS))
    results = pd.DataFrame([_result_key(message) for message in span(topics.ANALYSIS)], columns=_KEY)
    # A letter in parts has its fields in each of them: the first stands for it.
    firsts = [m for m in span(topics.DLQ) if _header(m, PART_HEADER) in {None, b"1"}]
    letters = [decode_dead_letter(message.value() or b"") for message in firsts]
    return balance(events, results, [letter.origin for letter in letters])


def balance(events: pd.DataFrame, results: pd.DataFrame, dead_origins: list[str]) -> Books:
    """Balance events (origin, channel_id, event_id; heartbeats left out) with results and dead letters.

    A dead letter names its event by `topic/partition/offset`; one with another origin never was an event on Kafka
    (the gateway refused it), so it counts as both in and dead.
    """
    prefix = f"{topics.EVENTS}/"
    on_kafka = pd.Series([origin for origin in dead_origins if origin.startswith(prefix)], dtype=object)
    at_gateway = len(dead_origins) - len(on_kafka)
    dead = events["origin"].isin(set(on_kafka))
    living = events[~dead]
    first = ~living.duplicated(_KEY)
    expected = pd.MultiIndex.from_frame(living.loc[first, _KEY])
    found = pd.MultiIndex.from_frame(results[_KEY])
    missing = len(expected.difference(found))
    surplus = int(found.duplicated().sum()) + len(found.unique().difference(expected))
    dead_surplus = len(on_kafka) - int(dead.sum())
    return Books(
        events_in=len(events) + at_gateway,
        analysed=len(results),
        dlq=len(dead_origins),
        repeats=int((~first).sum()),
        unaccounted=missing + surplus + abs(dead_surplus),
    )


def _events(messages: list[Message]) -> pd.DataFrame:
    events = [m for m in messages if _header(m, _HEARTBEAT_HEADER) is None]
    decoded = decode_events(pa.array([m.value() or b"" for m in events], pa.binary()))
    frame = pd.DataFrame({"origin": [f"{m.topic()}/{m.partition()}/{m.offset()}" for m in events]})
    readable = decoded.events.select(["channel_id", "id"]).rename_columns(_KEY).to_pandas()
    readable.index = decoded.rows.to_numpy()
    # An unreadable event has no id; its dead letter must name it by its origin.
    return frame.join(readable).fillna({"channel_id": "", "event_id": ""})


def _header(message: Message, name: str) -> str | bytes | None:
    return dict(message.headers() or {}).get(name)


def _result_key(message: Message) -> tuple[str, str]:
    result = decode_analysis(message.value() or b"")
    return result["channel_id"], result["event_id"]
