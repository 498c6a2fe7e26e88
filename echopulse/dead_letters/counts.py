"""Dead letters counted by stage and reason, reasons that differ in values alone taken together."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

#: So many reasons of a stage are counted by themselves.
MOST_REASONS = 50
OTHER_REASONS = "other reasons"
_MOST_CHARACTERS = 160
_VALUES = re.compile(
    r"'[^']*'|\"[^\"]*\""  # a quoted value
    # A time of ISO 8601, extended or basic, with its offset; a date alone.
    r"|\b\d{4}-\d\d-\d\d(?:[Tt ]\d\d(?::\d\d){0,2}(?:[.,]\d+)?)?(?:[Zz]|[+-]\d\d(?::?\d\d)?)?(?![\d:])"
    r"|\b\d{8}[Tt]\d{2,6}(?:[.,]\d+)?(?:[Zz]|[+-]\d\d(?::?\d\d)?)?\b"
    r"|\b[0-9a-f]{12,}\b|\d+(?:\.\d+)?"  # a digest, a number
)


def reason_kind(reason: str) -> str:
    """Return a reason without the values that it names, so that reasons of one kind are the same text."""
    return _VALUES.sub("…", reason)[:_MOST_CHARACTERS]


class Counts:
    """Letters by stage and kind of reason; however many kinds there are, memory stays bounded."""

    def __init__(self) -> None:
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add(self, stage: str, reason: str) -> None:
        """Count one."""
        counts, kind = self._counts[stage], reason_kind(reason)
        counts[kind if kind in counts or len(counts) < MOST_REASONS else OTHER_REASONS] += 1

    def told(self) -> dict[str, dict[str, int]]:
        """Return the counts by stage, then reason, the most frequent first."""
        stages = sorted(self._counts.items(), key=lambda item: -item[1].total())
        return {stage: dict(counts.most_common()) for stage, counts in stages}
