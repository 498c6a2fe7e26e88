"""A file of events as a stream: judged, moved in time, paced, and closed so that its windows fire."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from echopulse.gateway.dead_letters import now_ms
from echopulse.gateway.event_time import TimeRange, aligned_end
from echopulse.gateway.original_form import OriginalForm, written_mapping
from echopulse.gateway.pacing import Pace
from echopulse.gateway.replay_formats import FORMATS
from echopulse.gateway.source_file import source_file
from echopulse.gateway.validation import judge
from features.machinery.silence import LATER_MS
from schemas.errors import EchoPulseError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from echopulse.gateway.dead_letters import DeadLetterProducer
    from echopulse.gateway.original_form import Form
    from echopulse.gateway.producer import EventProducer
    from echopulse.gateway.source_file import SourceFile


@dataclass(frozen=True)
class Closing:
    """How a replay ends: a heartbeat a partition past the end of the last slide, so that its windows fire.

    The last rows of that slide are those of who fell silent, `LATER_MS` after the rest.

    `slide_ms` is the longest slide of the windows, `delay_ms` the watermark's delay. Windows that end later than the
    last event's slide stay open: they would reach ahead of events still to come.
    """

    slide_ms: int = 300_000
    delay_ms: int = 5_000

    def due_ms(self, last_ms: int) -> int:
        """Return the watermark, ms UTC, at which all rows of the slide of a last event at `last_ms` are there."""
        return aligned_end(last_ms, self.slide_ms) + LATER_MS

    def heartbeat_ms(self, last_ms: int) -> int:
        """Return the time of the heartbeat after a last event at `last_ms`."""
        return self.due_ms(last_ms) + self.delay_ms + 1


class Progress(NamedTuple):
    """How far a replay is: events and dead letters so far, and the share of the file, 0 to 1 (0 where unknown)."""

    events: int
    dead_letters: int
    share: float


@dataclass(frozen=True)
class ReplayReport:
    """What became of a file: every row is an event or a dead letter. Times in ms UTC, None where nothing was sent.

    `first_ts_ms` and `last_ts_ms` are as sent, `shift_ms` is by how much times were moved, and `aligned_end_ms` is
    the end of the last slide, behind which the closing heartbeats stand.
    """

    events: int
    dead_letters: int
    first_ts_ms: int | None
    last_ts_ms: int | None
    aligned_end_ms: int | None
    shift_ms: int
    seconds: float


def replay(  # noqa: PLR0913 - each is a choice of its own
    path: Path,
    producer: EventProducer,
    dead_letters: DeadLetterProducer,
    *,
    rate: float | None = None,
    loop: bool = False,
    keep_time: bool = False,
    mapping: Mapping[str, str] | None = None,
    closing: Closing | None = Closing(),
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> ReplayReport:
    """Send the events of a file, and dead letters for its other rows: JSONL, CSV, Parquet; `-` is JSONL on stdin.

    Times are moved by one amount so that the newest plausible one is now, unless `keep_time`; a file that cannot be
    read twice has no known end, so it needs `keep_time`. `rate` is in events a second, `mapping` from field to
    column. With `loop` the file comes again and again until interrupted: each event bears the moment it is sent, and
    from the second time on its id ends in `~2`, `~3` ..., or it would be dropped as a repeat; no heartbeat follows.
    Returns when all is delivered. Raises UsageError, EchoPulseError.
    """
    file = check_replay(path, rate=rate, loop=loop, keep_time=keep_time)
    started, now = time.monotonic(), now_ms()
    kept_free_ms = closing.heartbeat_ms(0) if closing and not loop else 0
    limits = TimeRange.around(now, kept_free_ms=kept_free_ms)
    shift_ms = 0
    if not keep_time and not loop:
        newest = FORMATS[file.form].newest(file, mapping or {}, limits)
        shift_ms = 0 if newest is None else now - newest
    sent = _Sent(producer, dead_letters, Pace(rate), on_progress)
    if loop:
        _loop(sent, file, mapping or {}, limits)
    else:
        for events in _judged(sent, file, mapping or {}, limits, shift_ms):
            sent.send(events)
    producer.flush()
    dead_letters.flush()
    end = None
    if closing and not loop and sent.last_ms is not None:
        end = aligned_end(sent.last_ms, closing.slide_ms)
        producer.heartbeat(closing.heartbeat_ms(sent.last_ms))
    failed = producer.failed - sent.failed_before
    return ReplayReport(
        events=sent.events - failed,
        dead_letters=sent.letters + failed,
        first_ts_ms=sent.first_ms,
        last_ts_ms=sent.last_ms,
        aligned_end_ms=end,
        shift_ms=shift_ms,
        seconds=round(time.monotonic() - started, 3),
    )


def check_replay(path: Path, *, rate: float | None, loop: bool, keep_time: bool) -> SourceFile:
    """Find the file and hold the choices of a replay against it and each other. Raises UsageError, EchoPulseError."""
    file = source_file(path)
    if rate is not None and not 0 < rate < math.inf:
        raise UsageError(f"--rate {rate:g} is not a number of events a second", "leave it out for full speed")
    if loop and keep_time:
        raise UsageError("--loop and --keep-time exclude each other: the second time round every event would be late")
    if loop and not file.rereadable:
        raise UsageError(f"{file.name} cannot be read again, so it cannot --loop", "write it to a file first")
    if not file.rereadable and not keep_time:
        raise UsageError(
            f"the times of {file.name} cannot be moved: its last event is not known ahead",
            "add --keep-time, or write it to a file first",
        )
    return file


class _Sent:
    """What has been sent so far."""

    def __init__(
        self, producer: EventProducer, letters: DeadLetterProducer, pace: Pace, on_progress: Callable[[Progress], None]
    ) -> None:
        self._producer, self.producer_of_letters, self._pace, self._on_progress = producer, letters, pace, on_progress
        self.failed_before = producer.failed
        self.events = self.letters = 0
        self.first_ms: int | None = None
        self.last_ms: int | None = None
        self.share = 0.0

    def send(
        self, events: pa.RecordBatch, *, stamp: Callable[[pa.RecordBatch], pa.RecordBatch] = lambda same: same
    ) -> None:
        """Send a batch at the pace that is set, `stamp`ing each slice just before."""
        for piece in self._pace.slices(events):
            stamped = stamp(piece)
            self._producer.send(stamped)
            self.events += stamped.num_rows
            self._widen(stamped)
            self._on_progress(Progress(self.events, self.letters, self.share))

    def _widen(self, events: pa.RecordBatch) -> None:
        span = pc.min_max(events.column("ts").cast(pa.int64())).as_py()
        if span["min"] is not None:
            self.first_ms = span["min"] if self.first_ms is None else min(self.first_ms, span["min"])
            self.last_ms = span["max"] if self.last_ms is None else max(self.last_ms, span["max"])


def _judged(
    sent: _Sent, file: SourceFile, mapping: Mapping[str, str], limits: TimeRange, shift_ms: int
) -> Iterator[pa.RecordBatch]:
    """Read the file once; yield its events and send the letters of the other rows."""
    for rows in FORMATS[file.form].read(file, mapping):
        judged = judge(rows, file.name, limits, shift_ms)
        form: Form = "csv" if rows.header else "object"
        sent.producer_of_letters.send(
            judged.letters, OriginalForm(form, written_mapping(mapping), rows.header, shift_ms)
        )
        sent.letters += len(judged.letters)
        sent.share = file.position / file.size if file.size else 0.0
        if judged.events.num_rows:
            yield judged.events


def _loop(sent: _Sent, file: SourceFile, mapping: Mapping[str, str], limits: TimeRange) -> None:
    """Send the file until interrupted."""
    try:
        for turn in count(1):
            before = sent.events
            for events in _judged(sent, file, mapping, limits, 0):
                sent.send(events, stamp=lambda piece, turn=turn: _as_of_now(piece, turn))  # type: ignore[misc]
            if sent.events == before:
                raise EchoPulseError(f"{file.name} holds no event, so there is nothing to --loop")
    except KeyboardInterrupt:
        return


def _as_of_now(events: pa.RecordBatch, turn: int) -> pa.RecordBatch:
    ids = events.column("id")
    if turn > 1:
        ids = pc.binary_join_element_wise(ids, f"~{turn}", "")
    times = pa.array([now_ms()], pa.timestamp("ms", "UTC")).take(pa.array([0] * events.num_rows))
    return pa.RecordBatch.from_arrays([ids, times, *events.columns[2:]], schema=events.schema)
