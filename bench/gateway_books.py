"""What a feed sent against what Kafka holds: every message, and those of a channel in their order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from echopulse.job.topic_reader import Position, end_position, read_batches
from schemas.codec import decode_events
from schemas.topics import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True)
class Books:
    """Messages sent and never found, found again, and found behind a later one of their channel.

    A repeat comes of going on from a place before the crash; the job drops it by its id. Only first finds are ordered.
    """

    missing: int
    repeated: int
    disordered: int

    @property
    def balanced(self) -> bool:
        """Whether all are there in order."""
        return not self.missing and not self.disordered


def ids_of(bootstrap: str) -> Iterator[str]:
    """Yield the ids of all events in Kafka, those of a channel in their order."""
    stop = end_position(bootstrap, EVENTS)
    for messages in read_batches(bootstrap, Position(EVENTS, {}), stop):
        events = decode_events(pa.array([message.value() for message in messages], pa.binary())).events
        yield from events.column("id").to_pylist()


def balance(found: Iterable[str], name: str, sent: Iterable[int], channels: int) -> Books:
    """Hold the ids found against the numbers that the feed `name` sent; ids of other feeds are passed over."""
    wanted, seen, newest = set(sent), set[int](), [-1] * channels
    repeated = disordered = 0
    for event_id in found:
        feed, _, number = event_id.rpartition("-")
        if feed != name:
            continue
        place = int(number)
        if place in seen:
            repeated += 1
            continue
        seen.add(place)
        disordered += place < newest[place % channels]
        newest[place % channels] = max(place, newest[place % channels])
    return Books(len(wanted - seen), repeated, disordered)
