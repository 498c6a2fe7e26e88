"""What a live source is to the connector that runs it, and the bounds that it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    import pyarrow as pa

    from schemas.avro import DeadLetter

#: A message as its bytes and, where it could not be taken whole, why.
Message = tuple[bytes, str]


class ConnectionLostError(Exception):
    """A connection that failed or ended in a way that another attempt may mend, after `wait_s` seconds at least."""

    def __init__(self, reason: str = "", wait_s: float = 0.0) -> None:
        """Keep the reason and the wait that the server asks for, 0 where it asks for none."""
        super().__init__(reason)
        self.wait_s = wait_s


@dataclass(frozen=True)
class Limits:
    """Bounds of a live source; times in seconds.

    A frame above `frame_bytes` is refused. The queue between socket and Kafka holds at most `queued_frames` and
    `queued_bytes` (one frame always fits); when it is full the socket is no longer read. `attempts` connections in a
    row may fail before the source is given up; waits double from `first_wait_s` to `longest_wait_s`, the later half
    of each at random.
    """

    frame_bytes: int = 10_000_000
    queued_frames: int = 10_000
    queued_bytes: int = 64 * 1024 * 1024
    batch_frames: int = 512
    linger_s: float = 0.05
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 60.0
    close_timeout_s: float = 5.0
    flush_timeout_s: float = 130.0
    attempts: int = 10
    first_wait_s: float = 0.5
    longest_wait_s: float = 30.0


class LiveSource(Protocol):
    """Something that can be connected to again and again."""

    @property
    def address(self) -> str:
        """Where it is, without secrets."""

    @property
    def server_wait_s(self) -> float:
        """How long the server asks to be left alone between connections; 0 where it does not ask."""

    def messages(self) -> AsyncGenerator[Message, None]:
        """Connect once and yield messages until the server ends the stream.

        Raises ConnectionLostError for what another attempt may mend, EchoPulseError for what it cannot, and
        StreamEndedError where the server says that there is no more.
        """


class StreamEndedError(Exception):
    """The server said that the stream is over for good."""


class EventSink(Protocol):
    """Where events go: EventProducer, or a list in a test. `send` may block: it is called from a thread of its own."""

    def send(self, events: pa.RecordBatch) -> None:
        """Take a batch in schema EVENT."""

    def flush(self, timeout_s: float) -> None:
        """Return when everything taken is safe. Raises EchoPulseError where that takes longer."""


class DeadLetterSink(Protocol):
    """Where dead letters go: DeadLetterProducer, or a list in a test."""

    def send(self, letters: Iterable[DeadLetter]) -> None:
        """Take letters."""

    def flush(self, timeout_s: float) -> None:
        """Return when everything taken is safe. Raises EchoPulseError where that takes longer."""
