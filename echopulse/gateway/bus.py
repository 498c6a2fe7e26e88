"""What the gateway needs of a bus: batches taken in order, told of each when it is safe; Kafka or NATS JetStream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from echopulse.gateway.outgoing import Outgoing

#: Records that the bus refused for good, with its reason.
Refused = list[tuple["Outgoing", str]]


class RecordSink(Protocol):
    """Where records go: a Bus, or a list in a test."""

    def send(self, records: Sequence[Outgoing]) -> asyncio.Future[Refused]:
        """Send records; the result comes when all are acknowledged or refused.

        Acknowledged is durable: a server that is killed and started again has it. Records of one topic and key arrive
        in the order of sending. One that is away is waited for. Raises EchoPulseError, at once or from the result,
        where the bus is lost for good.
        """


class Bus(RecordSink, Protocol):
    """A sink with a connection; made and used within one event loop.

    `reconnects` counts connections made again, `resent` records sent again; a client that does both by itself and does
    not tell leaves them at 0.
    """

    reconnects: int
    resent: int

    async def close(self, within_s: float = 0.0) -> None:
        """Wait at most so long for what was sent, then drop the connection and what is left."""
