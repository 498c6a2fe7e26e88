"""The stream in real time, on a clock that moves when the stream waits."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pyarrow as pa

from echopulse.gateway.scenario import load_scenario
from echopulse.gateway.simulator import simulate
from echopulse.gateway.simulator_live import HEARTBEAT_MS, STEP_MS, LiveStream, steps
from schemas.arrow import EVENT

if TYPE_CHECKING:
    import threading

START_MS = 1_700_000_000_000


class _Clock:
    """A wall clock and a stop event in one: waiting moves the time."""

    def __init__(self, stop_at_ms: int | None = None) -> None:
        self.now_ms = float(START_MS)
        self._stop_at_ms = stop_at_ms

    def __call__(self) -> int:
        return int(self.now_ms)

    def wait(self, timeout: float) -> bool:
        assert timeout > 0
        self.now_ms += timeout * 1_000
        return self.is_set()

    def is_set(self) -> bool:
        return self._stop_at_ms is not None and self.now_ms >= self._stop_at_ms


class _Sink:
    """Notes what comes when; sending takes `cost_ms`."""

    def __init__(self, clock: _Clock, cost_ms: float = 0) -> None:
        self._clock, self._cost_ms = clock, cost_ms
        self.batches: list[pa.RecordBatch] = []
        self.heartbeats: list[tuple[int, int]] = []
        self.lags: list[int] = []
        #: What came in order: the time of a step's first event, or minus that of a heartbeat.
        self.order: list[int] = []

    def send(self, events: pa.RecordBatch) -> None:
        self.batches.append(events)
        self.order.append(events.column("ts")[0].value)
        self.lags.append(self._clock() - self._newest())
        self._clock.now_ms += self._cost_ms

    def heartbeat(self, ts_ms: int) -> None:
        self.heartbeats.append((self._clock(), ts_ms))
        self.order.append(-ts_ms)

    def _newest(self) -> int:
        newest: int = self.batches[-1].column("ts")[self.batches[-1].num_rows - 1].value
        return newest

    @property
    def events(self) -> pa.Table:
        return pa.Table.from_batches(self.batches, EVENT)


def _stream(clock: _Clock, sink: _Sink) -> LiveStream:
    stop: threading.Event = clock  # type: ignore[assignment] # the two methods that the stream uses
    return LiveStream(sink, stop, clock)


def test_events_are_sent_when_they_have_happened() -> None:
    """None before its time, none much later, none lost."""
    clock = _Clock()
    sink = _Sink(clock)
    batches = list(simulate(load_scenario(), start_ms=START_MS, rate=200, duration_s=10))

    report = _stream(clock, sink).run(batches)

    assert sink.events.equals(pa.Table.from_batches(batches))
    assert min(sink.lags) >= 0
    assert max(sink.lags) <= STEP_MS
    assert report.events == sink.events.num_rows
    assert report.behind_ms <= STEP_MS


def test_a_heartbeat_a_second_never_runs_ahead() -> None:
    """Not of the wall time, and not of any event that is sent after it."""
    clock = _Clock()
    sink = _Sink(clock)

    _stream(clock, sink).run(simulate(load_scenario(), start_ms=START_MS, rate=3, duration_s=20))

    assert all(ts_ms <= wall_ms for wall_ms, ts_ms in sink.heartbeats)
    for place, moment in enumerate(sink.order):
        if moment < 0:
            assert all(later >= -moment for later in sink.order[place:] if later > 0)
    walls = [wall for wall, _ in sink.heartbeats]
    assert max(after - before for before, after in pairwise(walls)) <= HEARTBEAT_MS + 1


def test_a_stream_that_lies_behind_says_so_and_holds_its_heartbeats_back() -> None:
    """With a sink that takes twice as long as there is time."""
    clock = _Clock()
    sink = _Sink(clock, cost_ms=2 * STEP_MS)

    report = _stream(clock, sink).run(simulate(load_scenario(), start_ms=START_MS, rate=500, duration_s=5))

    assert report.behind_ms > 3_000
    newest = 0
    for wall_ms, ts_ms in sink.heartbeats[1:-1]:
        assert newest <= ts_ms < wall_ms
        newest = ts_ms


def test_stop_ends_it_with_a_heartbeat() -> None:
    """What is not due yet is not sent."""
    clock = _Clock(stop_at_ms=START_MS + 3_000)
    sink = _Sink(clock)

    report = _stream(clock, sink).run(simulate(load_scenario(), start_ms=START_MS, rate=100), settle_ms=60_000)

    assert report.last_ts_ms is not None
    assert report.last_ts_ms <= START_MS + 3_000
    assert sink.heartbeats[-1] == (clock(), clock())
    assert clock() <= START_MS + 3_000 + STEP_MS


def test_after_the_end_heartbeats_go_on() -> None:
    """For as long as windows take to close."""
    clock = _Clock()
    sink = _Sink(clock)

    report = _stream(clock, sink).run(simulate(load_scenario(), start_ms=START_MS, duration_s=1), settle_ms=15_000)

    assert report.last_ts_ms is not None
    assert sink.heartbeats[-1][1] >= report.last_ts_ms + 15_000
    assert len(sink.heartbeats) >= 16


def test_nothing_sent_is_no_heartbeat_at_the_end() -> None:
    """An empty stream leaves no trace."""
    clock = _Clock()
    sink = _Sink(clock)

    assert _stream(clock, sink).run([]).events == 0
    assert sink.heartbeats == []


def test_steps_are_whole_and_in_order() -> None:
    """Each within one step, together all rows."""
    (batch,) = [
        b for b in simulate(load_scenario(), start_ms=START_MS, rate=3_000, events=1_000) if b.num_rows == 1_000
    ]

    pieces = list(steps(batch))

    assert pa.Table.from_batches(pieces).equals(pa.Table.from_batches([batch]))
    for piece in pieces:
        assert len({value.value // STEP_MS for value in piece.column("ts")}) == 1
