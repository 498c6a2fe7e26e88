"""One file through the running job, from the first event to the last committed window, with its report."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from echopulse.gateway.dead_letters import DeadLetterProducer
from echopulse.gateway.producer import EventProducer
from echopulse.gateway.replay import Closing, replay
from echopulse.job.audit import audit, positions
from echopulse.job.configuration import signals_config
from echopulse.job.group_offsets import commit
from echopulse.job.lake import lake_table
from echopulse.job.last_windows import LastWindows
from echopulse.job.settle import settle
from echopulse.job.timing import AnalysisProbe, SendLog, freshness, percentiles
from schemas.topics import ANALYSIS, EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from echopulse.gateway.replay import Progress
    from echopulse.job.launch import Pipeline
    from echopulse.settings import Settings
    from echopulse.settings_sections import Lake
    from features.machinery.view_spec import CompiledView

#: What computing and writing may take beyond step and watermark delay.
SPARE_MS = 1_000


@dataclass(frozen=True)
class ReplayRun:
    """What a replay came to: counts by the topics and the lake themselves, speed and times in ms.

    `events_in = analysed + dlq + repeats` and `unaccounted` is 0 where nothing was lost or doubled; `late` is a part
    of `analysed`. `shadow` counts what strategies in shadow said, `abstained` what was left unscored by kind of
    analysis and language, `without_text` the analysed events of kinds that carry text whose payload held none.
    `analysis_latency_ms` is from sending an event to its committed result, `feature_freshness_ms` from sending a
    window's last event to its row in the online store; both under the delivery mode that is named. `view_freshness_ms`
    has, by view, what the first event of a window's newest step waited, with its `limit`: step, watermark delay and a
    second. `aligned_end_ms` is the end of the last window that may fire.
    """

    events_in: int
    analysed: int
    dlq: int
    repeats: int
    late: int
    shadow: int
    abstained: dict[str, dict[str, int]]
    without_text: int
    feature_rows: int
    unaccounted: int
    events_per_second: float
    analysis_latency_ms: dict[str, float | None]
    feature_freshness_ms: dict[str, float | None]
    view_freshness_ms: dict[str, dict[str, float | None]]
    delivery: str
    restarts: int
    seconds: float
    start_seconds: float
    aligned_end_ms: int | None


class _LoggedProducer(EventProducer):
    """An EventProducer that notes when events went out."""

    def __init__(self, bootstrap: str, dead_letters: DeadLetterProducer, log: SendLog) -> None:
        super().__init__(bootstrap, dead_letters)
        self._log = log

    def send(self, events: pa.RecordBatch) -> None:
        """Send a batch and note its newest event time."""
        super().send(events)
        newest = pc.max(events.column("ts").cast(pa.int64())).as_py()
        if newest is not None:
            self._log.sent(newest)

    def heartbeat(self, ts_ms: int) -> None:
        """Send heartbeats and note their time: they are what closes the last windows."""
        super().heartbeat(ts_ms)
        self._log.sent(ts_ms)


def run_replay(  # noqa: PLR0913 - each is a choice of its own
    settings: Settings,
    running: Pipeline,
    views: list[CompiledView],
    path: Path,
    *,
    rate: float | None,
    keep_time: bool,
    mapping: Mapping[str, str],
    on_progress: Callable[[Progress], None],
    on_step: Callable[[str], None],
) -> ReplayRun:
    """Replay a file through the job, wait until it is settled, audit it and report. Raises EchoPulseError.

    Where all is accounted for, the job's group has read as far, so that the next run passes nothing of it over.
    """
    bootstrap = settings.kafka.bootstrap
    start = positions(bootstrap)
    late_before = _late_rows(settings.lake)
    log = SendLog()
    started, started_ms = time.monotonic(), time.time_ns() // 1_000_000
    closing = Closing(slide_ms=max(view.slide_ms for view in views), delay_ms=settings.job.watermark_delay_ms)
    probe = AnalysisProbe(bootstrap, start[ANALYSIS])
    probe.start()
    with ExitStack() as closers:
        closers.callback(probe.end)
        letters = closers.enter_context(DeadLetterProducer(bootstrap))
        producer = closers.enter_context(_LoggedProducer(bootstrap, letters, log))
        sent = replay(
            path,
            producer,
            letters,
            rate=rate,
            keep_time=keep_time,
            mapping=mapping,
            closing=closing,
            on_progress=on_progress,
        )
        events = f"{sent.events:,} event{'s' * (sent.events != 1)}"
        on_step(f"{events} sent in {sent.seconds:.1f} s; waiting for the last window")
        if sent.last_ts_ms is not None:
            ends = LastWindows(producer, closing.heartbeat_ms(sent.last_ts_ms), settings.job.idle_timeout_ms, on_step)
            settle(running.cluster, running.job_id, bootstrap, closing.due_ms(sent.last_ts_ms), on_wait=ends)
        seconds = time.monotonic() - started
    on_step("all windows have fired; auditing")
    stop = positions(bootstrap)
    books = audit(bootstrap, start, stop)
    if not books.unaccounted:
        # Flink's own commit follows a checkpoint by a while, or never, where the job is stopped before. What others
        # have sent since is not accounted for, so it stays unread.
        commit(bootstrap, signals_config(settings).group, stop[EVENTS])
    written = _feature_rows(settings.lake, views, started_ms)
    spoken = {name: _spoken(rows) for name, rows in written.items()}
    return ReplayRun(
        events_in=books.events_in,
        analysed=books.analysed,
        dlq=books.dlq,
        repeats=books.repeats,
        late=_late_rows(settings.lake) - late_before,
        shadow=books.shadow,
        abstained=books.abstained,
        without_text=books.without_text,
        feature_rows=sum(rows.num_rows for rows in written.values()),
        unaccounted=books.unaccounted,
        events_per_second=round(books.events_in / seconds, 1),
        analysis_latency_ms=percentiles(probe.latencies(log)),
        feature_freshness_ms=percentiles(_all(freshness(rows, log) for rows in spoken.values())),
        view_freshness_ms=_view_freshness(views, spoken, log, settings.job.watermark_delay_ms),
        delivery=settings.flink.delivery,
        restarts=running.cluster.restarts(running.job_id),
        seconds=round(seconds, 2),
        start_seconds=round(running.start_seconds, 1),
        aligned_end_ms=sent.aligned_end_ms,
    )


def _late_rows(lake: Lake) -> int:
    table = lake_table(lake, "events")
    return 0 if table is None else int(table.count_rows(filter=pc.field("late")))


def _feature_rows(lake: Lake, views: list[CompiledView], since_ms: int) -> dict[str, pa.Table]:
    """Return the feature rows written since, by view."""
    found = {}
    for view in views:
        table = lake_table(lake, f"features/{view.name}")
        if table is not None:
            since = pc.field("written_ms") >= since_ms
            columns = [*(column.name for column in view.schema.features), "event_timestamp", "written_ms"]
            found[view.name] = table.to_table(columns=columns, filter=since)
    return found


def _spoken(rows: pa.Table) -> pa.Table:
    """Leave out rows that say nothing in all features, as those of a silence do: no event waits for one."""
    says = pa.array(np.zeros(rows.num_rows, bool))
    for name in set(rows.column_names) - {"event_timestamp", "written_ms"}:
        column = rows.column(name)
        nothing = pa.array(["[]", None] if pa.types.is_string(column.type) else [0, None]).cast(column.type)
        says = pc.or_(says, pc.invert(pc.is_in(column, nothing)))
    return rows.filter(says)


def _view_freshness(
    views: list[CompiledView], written: dict[str, pa.Table], log: SendLog, delay_ms: int
) -> dict[str, dict[str, float | None]]:
    return {
        view.name: {
            **percentiles(freshness(written[view.name], log, view.slide_ms)),
            "limit": float(view.slide_ms + delay_ms + SPARE_MS),
        }
        for view in views
        if view.name in written
    }


def _all(parts: Iterable[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.concatenate([np.zeros(0), *parts])
