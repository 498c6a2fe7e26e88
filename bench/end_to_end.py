"""The whole way of an event: by the job as it is, its transforms alone, and the job with a row-at-a-time function."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.embedded import own_settings, step, told
from bench.job_run import Streamed, stream, stream_audited
from bench.measure import Figure, Section, rates, ratio, repeated
from bench.simulated import RATE, EventClock, events, rebatched
from echopulse.gateway.replay import Closing
from echopulse.job.launch import pipeline
from echopulse.job.submit import FEATURES, declare, execute
from features.machinery.catalog import compiled_views
from transforms.analysis import Analyser

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from echopulse.job.launch import Pipeline
    from echopulse.settings import Settings

NAME = "e2e"
#: Half as many: before that the JVM still spends a tenth of its time compiling.
_WARM_UP_SHARE = 2
_ROWS_SHARE = 5
_BARE_EVENTS = 200_000
_BARE_RUNS = 5
_TIMEOUT_S = 240.0


@dataclass(frozen=True)
class _Batches:
    """Events of one run, and earlier ones to warm it up."""

    warm_up: list[pa.RecordBatch]
    measured: list[pa.RecordBatch]

    @classmethod
    def make(cls, count: int, clock: EventClock, seed: int) -> _Batches:
        warm_up = events(max(1, count // _WARM_UP_SHARE), clock.start_ms, seed)
        return cls(warm_up, events(count, clock.after(warm_up).start_ms, seed + 1))


def measure(count: int, folder: Path) -> Section:
    """Measure `count` events end to end, and a fifth as many by the row-at-a-time job, on a stack in `folder`."""
    settings = own_settings(folder / "home")
    closing = Closing(
        slide_ms=max(view.slide_ms for view in compiled_views(FEATURES, settings.home)),
        delay_ms=settings.job.watermark_delay_ms,
    )
    step(f"making {count:,} events and those of the warm-up")
    clock = EventClock.hours_ago(closing.slide_ms)
    batches = _Batches.make(count, clock, seed=1)
    rows = _Batches.make(max(1, count // _ROWS_SHARE), clock.after(batches.measured), seed=3)
    bare = bare_loop(batches.measured, settings)
    with pipeline(settings, told, step) as running:
        step("warming the job up")
        stream(settings, running, batches.warm_up, closing)
        step(f"{count:,} events through the job")
        by_columns = stream_audited(settings, running, batches.measured, closing)
        step("the same job with a row-at-a-time function")
        second = _resubmitted(settings, running)
        stream(settings, second, rows.warm_up, closing)
        by_rows = stream_audited(settings, second, rows.measured, closing)
    return section(by_columns, bare, by_rows, settings)


def bare_loop(batches: list[pa.RecordBatch], settings: Settings) -> Figure:
    """Run the transforms alone over decoded batches of the job's bundle size, on one core."""
    analyser = Analyser(settings.strategies)
    analyser.open()
    bundles = rebatched(batches, settings.job.bundle_size)[: max(1, _BARE_EVENTS // settings.job.bundle_size)]
    costs = repeated(lambda: [analyser.analyse_events(bundle) for bundle in bundles], _BARE_RUNS)
    total = sum(bundle.num_rows for bundle in bundles)
    speeds = rates(total, [cost.cpu for cost in costs])
    return Figure(f"(a) transforms alone, {total:,} decoded events", speeds, "events/s of a core")


def _resubmitted(settings: Settings, running: Pipeline) -> Pipeline:
    """Replace the running job by the one with the row-at-a-time function."""
    from bench.row_function import row_function  # noqa: PLC0415 - imports PyFlink, after the stack has started

    running.cluster.cancel(running.job_id, _TIMEOUT_S)
    job_id = execute(declare(settings, remote=True, analyse=row_function(settings.strategies)))
    running.cluster.wait_running(job_id, _TIMEOUT_S)
    return replace(running, job_id=job_id)


def section(by_columns: Streamed, bare: Figure, by_rows: Streamed, settings: Settings) -> Section:
    """Put the three side by side."""
    rows = Figure("(b) the same job, row-at-a-time function", (by_rows.per_second,), "events/s")
    whole = Figure("end to end", (by_columns.per_second,), "events/s")
    core = Figure("end to end, of a core", (by_columns.per_core,), bare.unit)
    rows_core = Figure("(b), of a core", (by_rows.per_core,), bare.unit)
    flink = settings.flink
    return Section(
        NAME,
        "End to end (`e2e`)",
        f"{by_columns.events:,} of the simulator's events through the embedded stack: Kafka, the job `signals` "
        f"(parallelism {flink.parallelism}, {flink.delivery}, checkpoints with pauses of "
        f"{flink.checkpoint_interval_ms / 1000:g} s), all sinks on; after a warm-up of half as many through the "
        "same job. Timed from the first event sent until the last result is committed and the windows that end by its "
        "watermark have fired; then audited: "
        "none lost, doubled or refused. (b) is the same job with a plain PyFlink function that parses, normalises, "
        f"spots, scores and encodes each event by itself, over {by_rows.events:,} events after a warm-up. 'Of a core' "
        "divides by the CPU seconds of every process: services, Python workers, producer.",
        (
            replace(whole, against=f"{ratio(whole, rows):.2f} x (b)"),
            replace(core, against=f"{ratio(core, bare):.2f} x (a); {ratio(core, rows_core):.2f} x (b)"),
            bare,
            rows,
            rows_core,
        ),
        (
            _told("end to end", by_columns),
            _told("(b)", by_rows),
            (
                f"event time: {RATE:,} events a second. Windows that end after the last event are closed afterwards, "
                "untimed but told: the user views' of five minutes, written in one go"
            ),
            "the simulator's texts repeat, and what repeats in a batch is scored once, here and in (a); see `analysis`",
        ),
    )


def _told(what: str, streamed: Streamed) -> str:
    split = ", ".join(f"{name} {seconds:.1f}" for name, seconds in streamed.cpu.items())
    return (
        f"{what}, {streamed.events:,} events: sent in {streamed.sent_s:.1f} s, settled in {streamed.seconds:.1f} s, "
        f"the windows left closed in another {streamed.closing_s:.1f} s; "
        f"CPU seconds: {split}"
    )
