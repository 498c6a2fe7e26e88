"""Accounting: every event that went in is analysed, dead-lettered or a repeat, and nothing came out twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from echopulse.gateway.dead_letters import PART_HEADER
from echopulse.job.topic_reader import Position, end_position, is_heartbeat, read_batches
from schemas import topics
from schemas.avro import decode_analysis, decode_dead_letter
from schemas.codec import decode_events
from transforms.payloads.declaration import TEXT_KINDS
from transforms.verdict import ABSTAINED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from confluent_kafka import Message

_KEY = ["channel_id", "event_id"]


@dataclass(frozen=True)
class Books:
    """Counts of one span of the topics, all of them read from the topics themselves.

    `unaccounted` is the number of events without an outcome plus the outcomes without an event or beyond the first.
    `abstained` counts results by kind of analysis and language, where a strategy does not know the language; `shadow`
    counts what strategies in shadow said, `without_text` the results of kinds that carry text that had none.
    """

    events_in: int
    analysed: int
    dlq: int
    repeats: int
    unaccounted: int
    abstained: dict[str, dict[str, int]] = field(default_factory=dict)
    shadow: int = 0
    without_text: int = 0


def positions(bootstrap: str) -> dict[str, Position]:
    """Return where the topics of the job end now."""
    names = (topics.EVENTS, topics.ANALYSIS, topics.SHADOW, topics.DLQ)
    return {name: end_position(bootstrap, name) for name in names}


def audit(bootstrap: str, start: dict[str, Position], stop: dict[str, Position] | None = None) -> Books:
    """Read the topics from `start` to `stop`, else their ends, and balance them; events match by channel and id."""
    stop = stop or positions(bootstrap)

    def span(topic: str) -> Iterator[Message]:
        return (m for batch in read_batches(bootstrap, start[topic], stop[topic]) for m in batch)

    events = _events(list(span(topics.EVENTS)))
    abstained: Counter[tuple[str, str]] = Counter()
    keys, without_text = [], 0
    for message in span(topics.ANALYSIS):
        result = decode_analysis(message.value() or b"")
        keys.append((result["channel_id"], result["event_id"]))
        abstained.update(abstentions(result["models"]))
        without_text += is_without_text(result)
    results = pd.DataFrame(keys, columns=_KEY)
    # A letter in parts has its fields in each of them: the first stands for it.
    firsts = [m for m in span(topics.DLQ) if _header(m, PART_HEADER) in {None, b"1"}]
    letters = [decode_dead_letter(message.value() or b"") for message in firsts]
    books = balance(events, results, [letter.origin for letter in letters])
    shadow = sum(1 for _ in span(topics.SHADOW))
    return replace(books, abstained=_by_kind(abstained), shadow=shadow, without_text=without_text)


def abstentions(models: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the kinds of analysis that a result's `models` says were abstained from, each with the language."""
    return [(kind, said.removeprefix(ABSTAINED)) for kind, said in models.items() if said.startswith(ABSTAINED)]


def is_without_text(result: Mapping[str, Any]) -> bool:
    """Return whether a result is of a kind that carries text and nothing was asked of it: there was none."""
    return result["kind"] in TEXT_KINDS and not result["models"]


def _by_kind(counts: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (kind, language), count in sorted(counts.items()):
        found.setdefault(kind, {})[language] = count
    return found


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
    events = [m for m in messages if not is_heartbeat(m)]
    decoded = decode_events(pa.array([m.value() or b"" for m in events], pa.binary()))
    frame = pd.DataFrame({"origin": [f"{m.topic()}/{m.partition()}/{m.offset()}" for m in events]})
    readable = decoded.events.select(["channel_id", "id"]).rename_columns(_KEY).to_pandas()
    readable.index = decoded.rows.to_numpy()
    # An unreadable event has no id; its dead letter must name it by its origin.
    return frame.join(readable).fillna({"channel_id": "", "event_id": ""})


def _header(message: Message, name: str) -> str | bytes | None:
    return dict(message.headers() or {}).get(name)
