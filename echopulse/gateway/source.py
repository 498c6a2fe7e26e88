"""How a live source ends, and the bounds that it keeps."""

from __future__ import annotations

from dataclasses import dataclass

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
    queued_frames: int = 50_000
    queued_bytes: int = 64 * 1024 * 1024
    batch_frames: int = 4096
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 60.0
    close_timeout_s: float = 5.0
    attempts: int = 10
    first_wait_s: float = 0.5
    longest_wait_s: float = 30.0


class StreamEndedError(Exception):
    """The server said that the stream is over for good."""
