"""A stream's past computed once more by a batch: how fast, and whether any row differs."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from bench.distinct_texts import TWEETS, read_events
from bench.embedded import own_settings, step, told
from bench.job_run import stream_audited
from bench.measure import Figure, Section, ratio
from bench.simulated import EventClock
from echopulse.gateway.replay import Closing
from echopulse.gateway.scenario import load_scenario
from echopulse.gateway.simulator import simulate
from echopulse.job.backfill import backfill
from echopulse.job.backfill_plan import Request
from echopulse.job.lake import opened
from echopulse.job.launch import pipeline
from echopulse.job.submit import FEATURES
from features.lake.table import read_table
from features.machinery.catalog import compiled_views
from features.machinery.view_spec import EVENT_TIMESTAMP
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from echopulse.job.backfill import Progress
    from echopulse.settings import Settings
    from echopulse.settings_sections import Lake
    from features.machinery.view_spec import CompiledView

NAME = "backfill"
#: Events a second of event time.
_RATE = 500
_WARM_UP_SHARE = 4
_WAYS: dict[str, dict[str, Any]] = {
    "a backfill by the scores in the lake": {},
    "a backfill that analyses anew": {"rescore": True},
    "a backfill by the scores, by Beam": {"engine": "beam", "here": False},
}


def measure(count: int, folder: Path) -> Section:
    """Stream `count` simulated events and the real tweets, then compute their windows again."""
    settings = own_settings(folder / "home")
    views = compiled_views(FEATURES, settings.home)
    closing = Closing(max(view.slide_ms for view in views), settings.job.watermark_delay_ms)
    clock = EventClock.hours_ago(closing.slide_ms)
    warm_up = _simulated(max(1, count // _WARM_UP_SHARE), clock, seed=1)
    clock = clock.after(warm_up)
    begin = datetime.fromtimestamp(clock.first_ms / 1000, UTC)
    simulated = _simulated(count, clock, seed=2)
    tweets = list(_tweets(clock.after(simulated).start_ms))
    with pipeline(settings, told, step) as running:
        step("warming the job up")
        stream_audited(settings, running, warm_up, closing)
        step(f"{count:,} events through the job")
        streamed = stream_audited(settings, running, [*simulated, *tweets], closing)
        end = datetime.fromtimestamp(clock.after([*simulated, *tweets]).first_ms / 1000, UTC)
        took: list[Figure] = []
        differ = rows = 0
        for name, how in _WAYS.items():
            step(name)
            again = replace(Request(begin, end, output=str(folder / f"again-{len(took)}"), here=True), **how)
            took.append(Figure(name, (_apart(settings, again),), "events/s"))
            found = settings.lake.model_copy(update={"path": again.output})
            for view in views:
                wanted, got = (_rows(lake, view, begin, end) for lake in (settings.lake, found))
                differ += differing(wanted, got)
                rows += wanted.num_rows
    stream = Figure("the stream, end to end", (streamed.per_second,), "events/s")
    return Section(
        NAME,
        "Backfill (`backfill`)",
        f"{count:,} of the simulator's events over {count / _RATE / 60:.0f} minutes and "
        f"{sum(batch.num_rows for batch in tweets):,} real tweets through the embedded stack, after a warm-up; then "
        "the windows of the same span by `pipeline backfill`, beside the waiting job, from S3 into another lake: with "
        "the scores that the events have there, with analysing them again, and by Beam, each in a process of its own. "
        "The time holds all, also the start of Flink. Rows are compared to the bit.",
        (
            stream,
            *(replace(each, against=f"{ratio(each, stream):.2f} x the stream") for each in took),
            Figure("rows that differ from the stream's", (float(differ),), "rows", against=f"of {rows:,} in all runs"),
        ),
    )


def differing(wanted: pa.Table, got: pa.Table) -> int:
    """Count the rows that either of two tables of the same columns has and the other has not, nulls being equal."""
    left, right = (table.to_pandas() for table in (wanted, got))
    both = left.merge(right, how="outer", on=list(left.columns), indicator=True)
    return int((both["_merge"] != "both").sum())


def _simulated(count: int, clock: EventClock, seed: int) -> list[pa.RecordBatch]:
    return list(simulate(load_scenario(), start_ms=clock.start_ms, seed=seed, rate=_RATE, events=count))


def _tweets(start_ms: int) -> Iterator[pa.RecordBatch]:
    """Yield the recording's events, where there is one, moved to begin at `start_ms` and to come evenly."""
    place = 0
    for batch in read_events(TWEETS) if TWEETS.is_file() else ():
        times = pa.array([start_ms + 1_000 * (place + row) // _RATE for row in range(batch.num_rows)], pa.int64())
        column = batch.schema.get_field_index("ts")
        yield batch.set_column(column, batch.schema.field(column), times.cast(batch.schema.field(column).type))
        place += batch.num_rows


def _rows(lake: Lake, view: CompiledView, begin: datetime, end: datetime) -> pa.Table:
    """Return a view's rows of the windows that end after `begin` and by `end`."""
    table = read_table(opened(lake), f"features/{view.name}", list(view.columns))
    if table is None:
        raise EchoPulseError(f"{lake.path} has no rows of {view.name}")
    times = table.column(EVENT_TIMESTAMP).cast(pa.timestamp("ms", "UTC"))
    return table.filter(pc.and_(pc.greater(times, pa.scalar(begin)), pc.less_equal(times, pa.scalar(end))))


def _apart(settings: Settings, request: Request) -> float:
    """Run a backfill in a process of its own, as the command does; return its events a second.

    Flink's workers, once they were in a process, take Beam's functions there for Flink's.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(_per_second, settings, request).result()


def _per_second(settings: Settings, request: Request) -> float:
    rate: float = backfill(settings, request, _tell)["events_per_second"]
    return rate


def _tell(progress: Progress) -> None:
    step(f"backfill, {progress.day}: {progress.step}")
