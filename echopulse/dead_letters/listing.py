"""The dead letters of a selection, counted, and the newest of them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from echopulse.dead_letters.counts import Counts
from echopulse.dead_letters.history import History, read_history
from echopulse.dead_letters.origin import whence
from echopulse.dead_letters.reading import read_letters, span
from echopulse.gateway.event_time import iso

if TYPE_CHECKING:
    from collections.abc import Callable

    from echopulse.dead_letters.letter import Letter
    from echopulse.dead_letters.selection import Selection


@dataclass(frozen=True)
class Listed:
    """One letter of a list, with how often its event was replayed before it, and when it was itself (ms UTC)."""

    letter: Letter
    attempts: int
    replayed_ms: int | None

    def document(self) -> dict[str, Any]:
        """Return it as plain values, without its original."""
        content, known = self.letter.content, whence(self.letter)
        return {
            "id": str(self.letter.id),
            "at": iso(content.ts),
            "stage": content.stage,
            "reason": content.reason,
            "origin": content.origin,
            "event_id": content.event_id,
            "source": known.source,
            "channel": known.channel,
            "attempts": self.attempts,
            "replayed_at": None if self.replayed_ms is None else iso(self.replayed_ms),
        }


@dataclass
class Listing:
    """How many letters of a selection wait and how many were replayed, counts of those meant, and the newest first."""

    waiting: int = 0
    replayed: int = 0
    counts: Counts = field(default_factory=Counts)
    newest: list[Listed] = field(default_factory=list)


def list_waiting(
    bootstrap: str,
    selection: Selection,
    *,
    limit: int,
    replayed_too: bool = False,
    on_progress: Callable[[int, float], None] = lambda _read, _share: None,
) -> Listing:
    """Read the letters of a selection that are there now; of `limit` of them the whole is kept in memory.

    Those that were replayed are counted, and listed only with `replayed_too`. Raises EchoPulseError.
    """
    history = read_history(bootstrap)
    start, stop = span(bootstrap, selection.since_ms)
    length = sum(stop.offsets.values()) - sum(start.offsets.values())
    listing, newest, read = Listing(), deque[Listed](maxlen=limit), 0
    for letters in read_letters(bootstrap, start, stop):
        for letter in letters:
            if selection.holds(letter):
                _take(letter, history, listing, newest, replayed_too=replayed_too)
        read += len(letters)
        on_progress(read, min(1.0, read / max(1, length)))
    listing.newest = sorted(newest, key=lambda row: row.letter.content.ts, reverse=True)
    return listing


def _take(letter: Letter, history: History, listing: Listing, newest: deque[Listed], *, replayed_too: bool) -> None:
    done = history.replayed(letter)
    listing.waiting += done is None
    listing.replayed += done is not None
    if done is None or replayed_too:
        listing.counts.add(letter.content.stage, letter.content.reason)
        newest.append(Listed(letter, history.past(letter).attempts, done.ts if done else None))
