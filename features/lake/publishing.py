"""Rows computed anew take the place of those in a table: hour by hour, within a span of time, whatever crashes.

An hour that the span holds in part keeps its rows outside it. Each hour is one step for readers (see rewriting): they
read its old rows or its new ones. Published again, the same rows take their own place.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from features.lake.compaction import is_young, partition_start
from features.lake.listing import listing
from features.lake.rewriting import read_batches, stand_for, sweep
from features.lake.table import unified

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from features.lake.lease import Lease
    from features.lake.listing import Footer
    from features.lake.location import Lake

_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Span:
    """Moments after `after` and by `until` of a column of times that bear no zone and are UTC."""

    column: str
    after: datetime
    until: datetime

    def outside(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the rows of a batch that are not in it."""
        times = batch.column(self.column)
        late, early = (pa.scalar(each.astimezone(UTC).replace(tzinfo=None), times.type) for each in self._ends)
        return batch.filter(pc.or_(pc.less_equal(times, late), pc.greater(times, early)))

    def touches(self, partition: str) -> bool:
        """Return whether an hour's folder can hold rows of it."""
        start = partition_start(partition)
        return start is not None and start <= self.until and start + _HOUR > self.after

    @property
    def _ends(self) -> tuple[datetime, datetime]:
        return self.after, self.until


@dataclass(frozen=True)
class Published:
    """What publishing did to a table: hours written, new rows in them, and rows of the span that were there."""

    table: str
    partitions: int
    rows: int
    replaced: int


def publish(
    lake: Lake,
    staged: str,
    table: str,
    span: Span,
    lease: Lease,
    settle_s: float,
    on_step: Callable[[str], None] = lambda _: None,
) -> Published:
    """Put the rows of the table `staged` in the place of those of `table` in a span; what is staged lies in it.

    A file that the job wrote less than `settle_s` ago is waited for: a job that restarts looks for the files of its
    last checkpoint. Raises EchoPulseError where a file cannot be read or written, or the lease is lost.
    """
    found = listing(lake, table)
    sweep(lake, table, found, lease)
    old, new = _by_partition(found.live, span), _by_partition(listing(lake, staged).live, span)
    rows = replaced = 0
    for partition in sorted({*old, *new}):
        on_step(f"{table}/{partition}")
        there, fresh = old.get(partition, []), new.get(partition, [])
        _wait_until_settled(there, settle_s)
        schema = unified(table, [*there, *fresh])
        kept = [span.outside(batch) for footer in there for batch in read_batches(lake, footer, schema)]
        written = stand_for(lake, table, partition, there, _chained(lake, kept, fresh, schema), schema, lease)
        outside = sum(map(len, kept))
        rows += written - outside
        replaced += sum(footer.rows for footer in there) - outside
    return Published(table, len({*old, *new}), rows, replaced)


def _by_partition(footers: tuple[Footer, ...], span: Span) -> dict[str, list[Footer]]:
    found: dict[str, list[Footer]] = {}
    for footer in footers:
        if span.touches(footer.file.partition):
            found.setdefault(footer.file.partition, []).append(footer)
    return found


def _chained(
    lake: Lake, kept: list[pa.RecordBatch], fresh: list[Footer], schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    yield from kept
    for footer in fresh:
        yield from read_batches(lake, footer, schema)


def _wait_until_settled(footers: list[Footer], settle_s: float) -> None:
    for footer in footers:
        if is_young(footer, settle_s):
            time.sleep(max(0.0, min(settle_s, footer.file.modified_s + settle_s - time.time())))
