"""What an earlier run left unread of `social.events`, told before a replay passes it over."""

from __future__ import annotations

import time

from echopulse.job.group_offsets import commit, committed
from echopulse.job.topic_reader import Position, end_position, is_heartbeat, read_batches
from schemas.errors import EchoPulseError
from schemas.topics import EVENTS

#: A count is worth a moment, not minutes: about three million records.
_COUNTING_S = 20.0
_SILENCE_S = 10.0
_HINT = "`up` started once before a replay has them analysed"


def pass_over(bootstrap: str, group: str) -> str:
    """Let a group go on from the present end of `social.events`; return the line that says what it passes over, or ''.

    Raises EchoPulseError where the broker refuses the new offsets; that the events cannot be counted is only said.
    """
    end = end_position(bootstrap, EVENTS)
    told = _told(bootstrap, group, end)
    commit(bootstrap, group, end)
    return told and f"passing over for good what an earlier run left unread: {told}; {_HINT}"


def _told(bootstrap: str, group: str, end: Position) -> str:
    if not any(end.offsets.values()):
        return ""  # nothing was ever written, so that a new broker's coordinator need not be waited for
    try:
        count, whole = unread_events(bootstrap, committed(bootstrap, group, end), end, _COUNTING_S)
    except EchoPulseError as error:
        return f"how many events is not known, {error}"
    events = f"{count:,} event{'s' * (count != 1)}"
    if not whole:
        return f"more than {events}"
    return events if count else ""


def unread_events(bootstrap: str, start: Position, end: Position, limit_s: float) -> tuple[int, bool]:
    """Return how many records between two positions are events, heartbeats not among them, and whether these are all.

    They are read, for heartbeats: a fifth of what the simulator sends. Counting ends after `limit_s`. Raises
    EchoPulseError where the broker falls silent.
    """
    deadline = time.monotonic() + limit_s
    count = 0
    for batch in read_batches(bootstrap, start, end, timeout_s=_SILENCE_S):
        count += sum(not is_heartbeat(message) for message in batch)
        if time.monotonic() > deadline:
            return count, False
    return count, True
