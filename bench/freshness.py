"""Freshness on a live stream: from an event's time to the row that holds it, view by view, at 5,000 events a second."""

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
from bench.measure import Figure, Section
from echopulse.gateway.dead_letters import DeadLetterProducer, now_ms
from echopulse.gateway.event_time import aligned_end
from echopulse.gateway.producer import EventProducer
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
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from echopulse.settings import Settings
    from echopulse.settings_sections import Lake
    from features.machinery.view_spec import CompiledView

NAME = "freshness"
RATE = 5_000
_SEED = 11
#: Of the million events that a full run has end to end: what is measured here, in s, and the least of a smaller run.
_SECONDS, _LEAST_SECONDS, _FULL = 60, 20, 1_000_000
#: Before that, a JVM that has compiled nothing yet, in s.
_WARM_UP_S = 40
#: The steps of all views end together so long before the end of the run, in s: longer than the watermark's delay.
_AFTER_BOUNDARY_S = 15


@dataclass(frozen=True)
class Course:
    """Event times of a run, ms UTC, and how far they lie behind the wall clock all the time.

    They are moved, so that the one instant at which the longest steps end lies inside the run.
    """

    begin_ms: int
    measured_ms: int
    end_ms: int
    behind_ms: int

    @classmethod
    def of(cls, wall_ms: int, seconds: int, slide_ms: int) -> Course:
        """Return the course of a run that begins now and is measured for so long."""
        boundary_ms = wall_ms // slide_ms * slide_ms
        end_ms = boundary_ms + _AFTER_BOUNDARY_S * 1_000
        measured_ms = end_ms - seconds * 1_000
        begin_ms = measured_ms - _WARM_UP_S * 1_000
        return cls(begin_ms, measured_ms, end_ms, wall_ms - begin_ms)


@dataclass(frozen=True)
class ViewFreshness:
    """The freshness of a view's rows in ms, from the beginning of their window's newest step, and its limit."""

    name: str
    milliseconds: NDArray[np.int64]
    limit_ms: int


def measure(count: int, folder: Path) -> Section:
    """Measure a minute of the simulator's stream in real time, on a stack in `folder`; fewer `count`, shorter."""
    settings = own_settings(folder / "home")
    views = compiled_views(FEATURES, settings.home)
    seconds = max(_LEAST_SECONDS, round(_SECONDS * count / _FULL))
    longest_ms = max(view.slide_ms for view in views)
    with pipeline(settings, told, step) as running:
        # Made before its clock begins: event times follow the wall clock from the first on.
        course = Course.of(now_ms() + 1_000, seconds, longest_ms)
        total = (course.end_ms - course.begin_ms) * RATE // 1_000
        step(f"{total:,} events in real time, {RATE:,} a second")
        start = positions(settings.kafka.bootstrap)
        before, began = cpu_seconds(running.stack), time.perf_counter()
        behind_ms = _stream(settings, course, total, longest_ms)
        used = sum(difference(before, cpu_seconds(running.stack)).values()) / (time.perf_counter() - began)
        settle(running.cluster, running.job_id, settings.kafka.bootstrap, aligned_end(course.end_ms, longest_ms))
        books = audit(settings.kafka.bootstrap, start)
        if books.unaccounted or books.dlq or running.cluster.restarts(running.job_id):
            raise EchoPulseError(f"{total:,} events sent and not all analysed once: {books}")
        found = [view_freshness(settings.lake, view, course, settings.job.watermark_delay_ms) for view in views]
    return section(found, settings, seconds, behind_ms, used)


def _stream(settings: Settings, course: Course, total: int, longest_ms: int) -> int:
    """Send the stream in real time, then close its windows; return how far the last step was sent behind, in ms."""
    batches = simulate(load_scenario(), start_ms=course.begin_ms, seed=_SEED, rate=RATE, events=total)
    delay_ms = settings.job.watermark_delay_ms
    with (
        DeadLetterProducer(settings.kafka.bootstrap) as letters,
        EventProducer(settings.kafka.bootstrap, letters) as producer,
    ):
        stream = LiveStream(producer, threading.Event(), clock=lambda: now_ms() - course.behind_ms)
        report = stream.run(batches, settle_ms=delay_ms + SPARE_MS)
        # The rest of the open windows, which is not measured.
        producer.heartbeat(aligned_end(course.end_ms, longest_ms) + delay_ms)
        producer.flush()
    return report.behind_ms


def view_freshness(lake: Lake, view: CompiledView, course: Course, delay_ms: int) -> ViewFreshness:
    """Read when the rows of the windows that ended while it was measured were written."""
    table = lake_table(lake, f"features/{view.name}")
    if table is None:
        raise EchoPulseError(f"no row of {view.name} is in the lake")
    stamps = pa.timestamp("ms")
    after, until = (pa.scalar(moment, stamps) for moment in (course.measured_ms, course.end_ms))
    inside = (pc.field(EVENT_TIMESTAMP) > after) & (pc.field(EVENT_TIMESTAMP) <= until)
    rows = table.to_table(columns=[EVENT_TIMESTAMP, "written_ms"], filter=inside)
    ends = rows.column(EVENT_TIMESTAMP).cast(stamps).cast(pa.int64()).to_numpy()
    waited = rows.column("written_ms").to_numpy() - course.behind_ms - (ends - view.slide_ms)
    return ViewFreshness(view.name, waited, view.slide_ms + delay_ms + SPARE_MS)


def section(found: Sequence[ViewFreshness], settings: Settings, seconds: int, behind_ms: int, used: float) -> Section:
    """Lay the views side by side; each limit is step, watermark delay and a second."""
    figures = []
    for view in found:
        if not len(view.milliseconds):
            raise EchoPulseError(f"no window of {view.name} ended while it was measured")
        p50, p99 = np.percentile(view.milliseconds, [50, 99])
        held = "within" if p99 <= view.limit_ms else "ABOVE"
        figures += [
            Figure(f"{view.name}, p50 of {len(view.milliseconds):,} rows", (float(p50),), "ms"),
            Figure(f"{view.name}, p99", (float(p99),), "ms", f"{held} {view.limit_ms:,} ms"),
        ]
    return Section(
        NAME,
        "Freshness (`freshness`)",
        f"{seconds} s of the simulator's stream in real time, {RATE:,} events a second, through the embedded stack "
        f"(parallelism {settings.flink.parallelism}, {settings.flink.delivery}), after {_WARM_UP_S} s of warm-up. "
        "Of every row whose window ended meanwhile: from the beginning of the window's newest step, which is the time "
        "of the oldest event that can be new in it, until it was written online and could be read. Held against the "
        f"step, the watermark's delay of {settings.job.watermark_delay_ms / 1_000:g} s and a second.",
        tuple(figures),
        (
            (
                "event times lie a constant time behind the wall clock, which is taken off, so that the steps of five "
                "minutes end inside the run, all views' together"
            ),
            f"all processes together used {used:.2f} cores; the sender ended {behind_ms} ms behind its own clock",
        ),
    )
