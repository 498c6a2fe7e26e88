"""Freshness on a live stream: from each event to the first row that holds it, by view, at 5,000 events a second."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bench.cpu import cpu_seconds, difference
from bench.embedded import own_settings, step, told
from bench.job_run import stream_audited
from bench.measure import Figure, Section
from bench.simulated import EventClock
from echopulse.gateway.dead_letters import DeadLetterProducer, now_ms
from echopulse.gateway.producer import EventProducer
from echopulse.gateway.replay import Closing
from echopulse.gateway.scenario import load_scenario
from echopulse.gateway.simulator import simulate
from echopulse.gateway.simulator_live import LiveStream
from echopulse.job.audit import audit, positions
from echopulse.job.lake import lake_table
from echopulse.job.launch import pipeline
from echopulse.job.replay_run import SPARE_MS
from echopulse.job.settle import settle
from echopulse.job.submit import FEATURES
from features.machinery.catalog import compiled_views
from features.machinery.view_spec import EVENT_TIMESTAMP
from features.views import UNSPOKEN
from schemas.errors import EchoPulseError
from transforms.extraction import DEFAULT_KIND, lookup

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from echopulse.settings import Settings
    from echopulse.settings_sections import Lake
    from features.machinery.view_spec import CompiledView

NAME = "freshness"
RATE = 5_000
_SEED = 11
#: Of the million events that a full run has end to end: what is measured here, in s, and the least of a smaller run.
#: A full run holds one step of five minutes whole.
_SECONDS, _LEAST_SECONDS, _FULL = 300, 20, 1_000_000
#: Before that in real time, in s; and before that at full speed, over some steps of five minutes, so that what runs
#: only where these end is compiled by then: events, and how many in a second of event time.
_WARM_UP_S = 40
_WARM_UP_EVENTS, _WARM_UP_RATE = 200_000, 300
#: The steps of all views end together so long before the end of the run, in s: longer than the watermark's delay.
_AFTER_BOUNDARY_S = 15


@dataclass(frozen=True)
class Course:
    """Event times of a run, ms UTC, and how far they lie behind the wall clock all the time.

    They are moved, so that the one instant at which the longest steps end ends the measured part of the run.
    """

    begin_ms: int
    measured_ms: int
    boundary_ms: int
    end_ms: int
    behind_ms: int

    @classmethod
    def of(cls, wall_ms: int, seconds: int, slide_ms: int) -> Course:
        """Return the course of a run that begins now and is measured for so long."""
        boundary_ms = wall_ms // slide_ms * slide_ms
        measured_ms = boundary_ms - seconds * 1_000
        begin_ms = measured_ms - _WARM_UP_S * 1_000
        return cls(begin_ms, measured_ms, boundary_ms, boundary_ms + _AFTER_BOUNDARY_S * 1_000, wall_ms - begin_ms)

    @property
    def events(self) -> int:
        """How many events are sent."""
        return (self.end_ms - self.begin_ms) * RATE // 1_000


@dataclass(frozen=True)
class ViewFreshness:
    """Of a view, in ms: how long each event waited, its limit, and how long after a window's end its last row came.

    Rows that hold an event, that is: those of a silence come later.
    """

    name: str
    waited_ms: NDArray[np.int64]
    limit_ms: int
    slowest_ms: int


def measure(count: int, folder: Path) -> Section:
    """Measure five minutes of the simulator's stream in real time, on a stack in `folder`; fewer `count`, shorter."""
    settings = own_settings(folder / "home")
    views = compiled_views(FEATURES, settings.home)
    seconds = max(_LEAST_SECONDS, round(_SECONDS * count / _FULL))
    longest_ms = max(view.slide_ms for view in views)
    closing = Closing(longest_ms, settings.job.watermark_delay_ms)
    with pipeline(settings, told, step) as running:
        step("warming the job up")
        stream_audited(settings, running, _warm_up(longest_ms), closing)
        # Made before the clock begins: making them while they are sent takes a tenth of a core from what is measured.
        events = list(_made(_WARM_UP_S + seconds + _AFTER_BOUNDARY_S))
        # Event times follow the wall clock from the first on.
        course = Course.of(now_ms() + 1_000, seconds, longest_ms)
        step(f"{course.events:,} events in real time, {RATE:,} a second")
        start = positions(settings.kafka.bootstrap)
        before, began = cpu_seconds(running.stack), time.perf_counter()
        behind_ms = _stream(settings, events, course, closing)
        used = sum(difference(before, cpu_seconds(running.stack)).values()) / (time.perf_counter() - began)
        settle(running.cluster, running.job_id, settings.kafka.bootstrap, closing.due_ms(course.end_ms))
        books = audit(settings.kafka.bootstrap, start)
        if books.unaccounted or books.dlq or running.cluster.restarts(running.job_id):
            raise EchoPulseError(f"{course.events:,} events sent and not all analysed once: {books}")
        spoken = _spoken(events, course)
        found = [view_freshness(settings.lake, view, course, spoken, settings.job.watermark_delay_ms) for view in views]
    return section(found, settings, seconds, behind_ms, used)


def _made(seconds: int) -> Iterator[pa.RecordBatch]:
    return simulate(load_scenario(), start_ms=now_ms(), seed=_SEED, rate=RATE, events=seconds * RATE)


def _warm_up(longest_ms: int) -> list[pa.RecordBatch]:
    """Make events of hours ago, whose windows are all closed before the course begins."""
    begin = EventClock.hours_ago(longest_ms).start_ms
    return list(simulate(load_scenario(), start_ms=begin, seed=1, rate=_WARM_UP_RATE, events=_WARM_UP_EVENTS))


def evenly(batches: Iterable[pa.RecordBatch], course: Course) -> Iterator[pa.RecordBatch]:
    """Give events the times of a run, as many in each second: the scenario's rate is now half its mean, now twice."""
    sent = 0
    for batch in batches:
        times = course.begin_ms + np.arange(sent, sent + batch.num_rows) * 1_000 // RATE
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        columns["ts"] = pa.array(times).cast(batch.schema.field("ts").type)
        yield pa.RecordBatch.from_arrays([*columns.values()], schema=batch.schema)
        sent += batch.num_rows


def _stream(settings: Settings, events: Sequence[pa.RecordBatch], course: Course, closing: Closing) -> int:
    """Send the stream in real time, then close its windows; return how far the last step was sent behind, in ms."""
    with (
        DeadLetterProducer(settings.kafka.bootstrap) as letters,
        EventProducer(settings.kafka.bootstrap, letters) as producer,
    ):
        stream = LiveStream(producer, threading.Event(), clock=lambda: now_ms() - course.behind_ms)
        report = stream.run(evenly(events, course), settle_ms=closing.delay_ms + SPARE_MS)
        # The rest of the open windows, which is not measured.
        producer.heartbeat(closing.heartbeat_ms(course.end_ms))
        producer.flush()
    return report.behind_ms


def _spoken(events: Sequence[pa.RecordBatch], course: Course) -> pa.Table:
    """Return times (ms) and keys of those events that the views count and that are measured."""
    batches = []
    for batch in evenly(events, course):
        kinds = pc.fill_null(lookup(batch.column("metadata"), "kind"), DEFAULT_KIND)
        ts = batch.column("ts").cast(pa.timestamp("ms")).cast(pa.int64())
        measured = pc.and_(pc.greater_equal(ts, course.measured_ms), pc.less(ts, course.boundary_ms))
        counted = pc.and_(measured, pc.invert(pc.is_in(kinds, pa.array(UNSPOKEN))))
        columns = [ts, batch.column("channel_id"), batch.column("user_id")]
        batches.append(pa.record_batch(columns, ["ts", "channel_id", "user_id"]).filter(counted))
    return pa.Table.from_batches(batches)


def view_freshness(lake: Lake, view: CompiledView, course: Course, spoken: pa.Table, delay_ms: int) -> ViewFreshness:
    """Read when the first row that holds each event was written. Raises EchoPulseError for an event without one."""
    table = lake_table(lake, f"features/{view.name}")
    if table is None:
        raise EchoPulseError(f"no row of {view.name} is in the lake")
    stamps = pa.timestamp("ms")
    after, until = (pa.scalar(moment, stamps) for moment in (course.measured_ms, course.boundary_ms))
    inside = (pc.field(EVENT_TIMESTAMP) > after) & (pc.field(EVENT_TIMESTAMP) <= until)
    [key] = (column.name for column in view.schema.join_keys)
    rows = table.to_table(columns=[key, EVENT_TIMESTAMP, "written_ms"], filter=inside).to_pandas()
    rows["end"] = rows.pop(EVENT_TIMESTAMP).astype("datetime64[ms]").astype("int64")
    events = spoken.select(["ts", key]).drop_null().to_pandas()
    events["end"] = (events["ts"] // view.slide_ms + 1) * view.slide_ms
    held = events.merge(rows, on=[key, "end"], how="left", validate="many_to_one")
    missing = int(held["written_ms"].isna().sum())
    if missing or held.empty:
        raise EchoPulseError(f"{missing:,} of {len(held):,} events are in no row of {view.name}")
    waited = (held["written_ms"] - course.behind_ms - held["ts"]).to_numpy(np.int64)
    slowest = int((held["written_ms"] - course.behind_ms - held["end"]).max())
    return ViewFreshness(view.name, waited, view.slide_ms + delay_ms + SPARE_MS, slowest)


def section(found: Sequence[ViewFreshness], settings: Settings, seconds: int, behind_ms: int, used: float) -> Section:
    """Lay the views side by side; each limit is step, watermark delay and a second."""
    delay_ms = settings.job.watermark_delay_ms
    figures = []
    for view in found:
        p50, p99 = np.percentile(view.waited_ms, [50, 99])
        held = "within" if p99 <= view.limit_ms else "ABOVE"
        figures += [
            Figure(f"{view.name}, p50 of {len(view.waited_ms):,} events", (float(p50),), "ms"),
            Figure(f"{view.name}, p99", (float(p99),), "ms", f"{held} {view.limit_ms:,} ms"),
            Figure(f"{view.name}, its last row after the window's end", (float(view.slowest_ms),), "ms"),
        ]
    return Section(
        NAME,
        "Freshness (`freshness`)",
        f"{seconds} s of the simulator's events in real time, {RATE:,} every second, through the embedded stack "
        f"(parallelism {settings.flink.parallelism}, {settings.flink.delivery}), after a warm-up of "
        f"{_WARM_UP_EVENTS:,} events at full speed and {_WARM_UP_S} s in real time. "
        "Of every event of that time: how long until the first row that holds it was written online and could be read. "
        f"Its p99 is held against the view's step, the watermark's delay of {delay_ms / 1_000:g} s and a second.",
        tuple(figures),
        (
            (
                "event times lie a constant time behind the wall clock, which is taken off, so that a step of five "
                "minutes, at whose end all views write together, ends with what is measured"
            ),
            f"all processes together used {used:.2f} cores; the sender ended {behind_ms} ms behind its own clock",
        ),
    )
