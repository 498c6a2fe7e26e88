"""A reader of what a replay wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from echopulse.gateway.original_form import header_values
from echopulse.job.topic_reader import Position, end_position, read_batches
from schemas.social_event_pb2 import SocialEvent
from schemas.topics import EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable


class Replayed(NamedTuple):
    """One record of social.events."""

    event_id: str
    key: bytes
    value: bytes
    ts_ms: int
    headers: dict[str, bytes]


@pytest.fixture
def events_of() -> Callable[[str], list[Replayed]]:
    """Return a function that reads all committed records of social.events at a broker."""

    def read(bootstrap: str) -> list[Replayed]:
        stop = end_position(bootstrap, EVENTS)
        messages = [message for batch in read_batches(bootstrap, Position(EVENTS, {}), stop) for message in batch]
        return [
            Replayed(
                SocialEvent.FromString(message.value() or b"").id,
                message.key() or b"",
                message.value() or b"",
                message.timestamp()[1],
                header_values(message.headers()),
            )
            for message in messages
        ]

    return read
