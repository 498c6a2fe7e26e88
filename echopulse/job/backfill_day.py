"""A day of a backfill: computed into a staging folder, published in the lake hour by hour, its newest rows online."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from echopulse.job import backfill_record as records
from echopulse.job.backfill_record import DayDone
from echopulse.job.forget import settle_s
from features.lake.listing import listing
from features.lake.publishing import Span, publish
from features.lake.rewriting import read_batches
from features.machinery.view_spec import EVENT_TIMESTAMP

if TYPE_CHECKING:
    from collections.abc import Callable

    from echopulse.job.backfill_beam import BatchBeam
    from echopulse.job.backfill_flink import BatchFlink
    from echopulse.job.backfill_plan import Day
    from echopulse.settings import Settings
    from features.lake.lease import Lease
    from features.lake.location import Lake
    from features.machinery.online_writer import OnlineWriter
    from features.machinery.view_spec import CompiledView
    from transforms.selection import Selection

#: The table of the lake that windows are computed from.
EVENTS = "events"
_RENEW_S = 60.0


@dataclass
class Run:
    """What all days of a backfill share."""

    settings: Settings
    source: Lake
    target: Lake
    views: list[CompiledView]
    scored_by: Selection | None
    writer: OnlineWriter | None
    lease: Lease
    engine: BatchFlink | BatchBeam


def one_day(run: Run, day: Day, staging: str, step: Callable[[str], None]) -> DayDone:
    """Compute, publish and bring online a day by way of the folder `staging`; `step` is told what is being done."""
    from pipelines.backfill import BackfillConfig

    began = time.monotonic()
    config = BackfillConfig(
        events=run.source.named(run.source.within(EVENTS)),
        staging=run.target.named(run.target.within(staging)),
        after=day.after,
        until=day.until,
        available_after_ms=run.settings.job.watermark_delay_ms,
        selection=run.scored_by,
        parallelism=run.engine.parallelism,
        bundle_size=run.settings.job.bundle_size,
    )
    run.engine.run(config, run.views, day.name, _Computing(run.lease, step))
    rows, replaced, online = {}, 0, 0
    for view in run.views:
        table = f"features/{view.name}"
        span = Span(EVENT_TIMESTAMP, day.after, day.until)
        done = publish(run.target, f"{staging}/{table}", table, span, run.lease, settle_s(run.settings), step)
        rows[view.name], replaced = done.rows, replaced + done.replaced
        if run.writer:
            step(f"{view.name}, online")
            online += _write_online(run.writer, run.target, f"{staging}/{table}", view)
    records.clear_staging(run.target)
    seconds = time.monotonic() - began
    return DayDone(day.name, day.events, rows, replaced, online, round(seconds, 2))


def _write_online(writer: OnlineWriter, lake: Lake, staged: str, view: CompiledView) -> int:
    """Write the rows that have not outlived their time online; return how many were not older than what was there."""
    oldest = datetime.now(UTC) - timedelta(seconds=view.schema.ttl_s) if view.schema.ttl_s else None
    stored = 0
    for footer in listing(lake, staged).live:
        for batch in read_batches(lake, footer, footer.schema):
            times = batch.column(EVENT_TIMESTAMP).cast(pa.timestamp("ms", "UTC"))
            columns = [times if name == EVENT_TIMESTAMP else batch.column(name) for name in view.columns]
            rows = pa.RecordBatch.from_arrays(columns, names=list(view.columns))
            if oldest is not None:
                rows = rows.filter(pc.greater(times, pa.scalar(oldest, times.type)))
            stored += writer.write(view.schema, rows)
    return stored


class AllLeases:
    """Leases of several lakes as one."""

    def __init__(self, leases: list[Lease]) -> None:
        self._leases = leases

    def renew(self) -> None:
        """Hold on to each."""
        for lease in self._leases:
            lease.renew()


class _Computing:
    """Tells that a day is computed, and holds on to a lease meanwhile."""

    def __init__(self, lease: Lease, step: Callable[[str], None]) -> None:
        self._lease, self._step, self._renewed = lease, step, time.monotonic()
        self()

    def __call__(self) -> None:
        """Tell it once more, and renew the lease where a minute has passed."""
        self._step("computing")
        if time.monotonic() - self._renewed > _RENEW_S:
            self._lease.renew()
            self._renewed = time.monotonic()
