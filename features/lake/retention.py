"""Delete what a policy no longer keeps: whole hours, so that nothing is rewritten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from features.lake.compaction import partition_start
from features.lake.listing import listing
from features.lake.rewriting import remove

if TYPE_CHECKING:
    from collections.abc import Mapping

    from features.lake.lease import Lease
    from features.lake.location import Lake

#: The key of a policy that stands for every table of features.
FEATURES = "features"


@dataclass(frozen=True)
class Retained:
    """What a policy took from a table: files and rows, and the day before which it keeps nothing."""

    table: str
    files: int
    rows: int
    before: datetime


def days_of(policy: Mapping[str, int], table: str) -> int | None:
    """Return how many days a table is kept: by its own name, else, where it holds features, by `features`."""
    if table in policy:
        return policy[table]
    return policy.get(FEATURES) if table.startswith(f"{FEATURES}/") else None


def retain(lake: Lake, table: str, lease: Lease, days: int, now: datetime) -> Retained:
    """Delete the files of all hours that ended `days` days before `now`, by event time.

    Raises EchoPulseError where a footer cannot be read or the lake does not answer.
    """
    before = now - timedelta(days=days)
    found = listing(lake, table)
    old = [
        footer
        for footer in found.live
        if (start := partition_start(footer.file.partition)) is not None and start + timedelta(hours=1) <= before
    ]
    partitions = {footer.file.partition for footer in old}
    gone = [file for file in (*found.replaced, *found.unfinished) if file.partition in partitions]
    # First what a file stands for: without the file it would be read again.
    remove(lake, table, [*gone, *(footer.file for footer in old)], lease)
    return Retained(table, len(old), sum(footer.rows for footer in old), before)
