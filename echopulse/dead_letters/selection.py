"""Which dead letters are meant: by stage, reason, time, source and channel."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from echopulse.dead_letters.letter import NO_LETTER, STAGES
from echopulse.dead_letters.origin import whence
from echopulse.gateway.event_time import milliseconds
from schemas.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from echopulse.dead_letters.letter import Letter

_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_AGO = re.compile(r"(\d+)([smhd])")


@dataclass(frozen=True)
class Selection:
    """What a letter must be; empty is anything. `reason` is a part of the reason, `since_ms` in ms UTC."""

    stage: str = ""
    reason: str = ""
    since_ms: int | None = None
    source: str = ""
    channel: str = ""

    def holds(self, letter: Letter) -> bool:
        """Say whether a letter is meant; the original is looked into only where source or channel are asked for."""
        content = letter.content
        if (self.stage and content.stage != self.stage) or self.reason not in content.reason:
            return False
        if self.since_ms is not None and content.ts < self.since_ms:
            return False
        if not self.source and not self.channel:
            return True
        known = whence(letter)
        return self.source in {"", known.source} and self.channel in {"", known.channel}


def select(stage: str, reason: str, since: str, source: str, channel: str, now_ms: int) -> Selection:
    """Read a selection as a person writes it. Raises UsageError for an unknown stage and a time that is none."""
    known = (*STAGES, NO_LETTER)
    if stage and stage not in known:
        raise UsageError(f"--stage {stage}: no such stage", did_you_mean(stage, known))
    return Selection(stage, reason, parse_since(since, now_ms) if since else None, source, channel)


def parse_since(text: str, now_ms: int) -> int:
    """Read a time (ISO 8601, without offset UTC; ms since 1970) or a span before now (90s, 30m, 2h, 7d) as ms UTC.

    Raises UsageError.
    """
    ago = _AGO.fullmatch(text)
    if ago:
        return now_ms - int(ago[1]) * _UNITS_MS[ago[2]]
    try:
        return milliseconds(text)
    except ValueError:
        raise UsageError(f"--since {text} is not a time", "like 2026-01-31T12:00:00Z, 90s, 30m, 2h or 7d") from None
