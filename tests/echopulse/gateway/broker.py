"""A Kafka in memory for the tests of whole sources."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from schemas.social_event_pb2 import SocialEvent
from schemas.topics import EVENTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from echopulse.gateway.acknowledged_producer import Refused
    from echopulse.gateway.outgoing import Outgoing


@dataclass
class Broker:
    """Acknowledges at once while `here`; what is sent while it is away waits."""

    here: bool = True
    records: list[Outgoing] = field(default_factory=list)
    waiting: list[tuple[asyncio.Future[Refused], Sequence[Outgoing]]] = field(default_factory=list)

    def send(self, records: Sequence[Outgoing]) -> asyncio.Future[Refused]:
        """Take records."""
        future: asyncio.Future[Refused] = asyncio.get_running_loop().create_future()
        self.waiting.append((future, records))
        if self.here:
            self.back()
        return future

    def back(self) -> None:
        """Acknowledge everything."""
        self.here = True
        for future, records in self.waiting:
            self.records.extend(records)
            if not future.done():
                future.set_result([])
        self.waiting.clear()

    def events(self) -> list[SocialEvent]:
        """The events in the order of Kafka."""
        return [SocialEvent.FromString(r.value) for r in self.records if r.topic == EVENTS]

    def ids(self) -> list[str]:
        """Their ids."""
        return [event.id for event in self.events()]
