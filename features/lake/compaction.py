"""Merge the small files of a partition: a checkpoint leaves one from each writer, readers pay for every one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from features.lake.listing import REWRITTEN, listing
from features.lake.rewriting import replace, sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from features.lake.lease import Lease
    from features.lake.listing import Footer
    from features.lake.location import Lake

#: A file as large as this is left as it is; what is merged is at most twice as large.
LARGE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Compacted:
    """What a compaction did to a table: live files before and after, partitions and rows rewritten, leftovers swept.

    Of the files left as they were, `recent` are of hours that had not ended, `large` need no merging, and `young` the
    job may still need to find if it restarts now; the others were alone in their hour.
    """

    table: str
    files_before: int
    files_after: int
    partitions: int
    rows: int
    swept: int
    young: int
    recent: int
    large: int


def compact(
    lake: Lake,
    table: str,
    lease: Lease,
    before: datetime,
    settle_s: float,
    on_step: Callable[[str], None] = lambda _: None,
) -> Compacted:
    """Merge the small files of every partition that ends by `before`; a partition of one file is left as it is.

    Files younger than `settle_s` are left: a job that restarts looks for the files of its last checkpoint. Raises
    EchoPulseError naming a file that cannot be read; what was merged by then stays merged.
    """
    found = listing(lake, table)
    swept = sweep(lake, table, found, lease)
    small: dict[str, list[Footer]] = {}
    young = recent = large = 0
    for footer in found.live:
        if footer.file.size >= LARGE_BYTES:
            large += 1
        elif not _ends_by(footer.file.partition, before):
            recent += 1
        elif is_young(footer, settle_s):
            young += 1
        else:
            small.setdefault(footer.file.partition, []).append(footer)
    after, rows, rewritten = len(found.live), 0, set()
    for partition, footers in small.items():
        for group in _groups(footers):
            on_step(f"{table}/{partition}")
            written = replace(lake, table, group, lease)
            after -= len(group) - (1 if written else 0)
            rows += written
            rewritten.add(partition)
    return Compacted(table, len(found.live), after, len(rewritten), rows, swept, young, recent, large)


def is_young(footer: Footer, settle_s: float) -> bool:
    """Return whether the job wrote a file so lately that it looks for it if it restarts now."""
    return footer.file.modified_s > time.time() - settle_s and not footer.file.name.startswith(REWRITTEN)


def _groups(footers: Sequence[Footer]) -> Iterator[list[Footer]]:
    """Put files together until they are large; a single one only where it has no rows."""
    group: list[Footer] = []
    for footer in footers:
        group.append(footer)
        if sum(each.file.size for each in group) >= LARGE_BYTES:
            if len(group) > 1:
                yield group
            group = []
    if len(group) > 1 or (group and not group[0].rows):
        yield group


def partition_start(partition: str) -> datetime | None:
    """Return when the hour `date=…/hour=…` begins, in UTC; None where a folder is named otherwise."""
    try:
        return datetime.strptime(partition, "date=%Y-%m-%d/hour=%H").replace(tzinfo=UTC)
    except ValueError:
        return None


def _ends_by(partition: str, before: datetime) -> bool:
    start = partition_start(partition)
    return start is None or start + timedelta(hours=1) <= before
