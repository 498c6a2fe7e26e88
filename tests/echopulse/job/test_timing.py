"""Latency and freshness: computed from what was noted, never asserted on a clock."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from echopulse.job.timing import AnalysisProbe, SendLog, freshness, percentiles
from echopulse.job.topic_reader import Position, end_position
from schemas.topics import ANALYSIS

if TYPE_CHECKING:
    from collections.abc import Callable

_DEADLINE_S = 30


def test_percentiles() -> None:
    """Half and ninety-nine hundredths, to a tenth; nothing of nothing."""
    assert percentiles(np.arange(101.0)) == {"p50": 50.0, "p99": 99.0}
    assert percentiles(np.array([0.12345])) == {"p50": 0.1, "p99": 0.1}
    assert percentiles(np.zeros(0)) == {"p50": None, "p99": None}


def test_wall_time_of_an_event_lies_between_the_notes() -> None:
    """Linear between two notes, the nearest note outside them."""
    log = SendLog([1_000, 2_000], [50_000, 50_100])
    assert log.wall_of(np.array([0, 1_000, 1_500, 2_000, 9_000])).tolist() == [50_000, 50_000, 50_050, 50_100, 50_100]


def test_nothing_sent_is_no_time() -> None:
    """Without a note no event has a sending time."""
    assert np.isnan(SendLog().wall_of(np.array([1, 2]))).all()


@given(st.lists(st.integers(0, 10_000), min_size=1))
def test_notes_stay_in_order(event_times: list[int]) -> None:
    """Late events do not turn the log back, or interpolation would have no meaning."""
    log = SendLog()
    for event_ms in event_times:
        log.sent(event_ms)
    assert log.event_ms == np.maximum.accumulate(event_times).tolist()
    assert log.wall_ms == sorted(log.wall_ms)


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_freshness_is_from_the_windows_last_event_to_its_row(unit: str) -> None:
    """Whatever unit Parquet keeps times in; a row cannot be there before its events."""
    ends = pa.array([1_000, 2_000, 2_000], pa.timestamp("ms")).cast(pa.timestamp(unit))
    rows = pa.table({"event_timestamp": ends, "written_ms": pa.array([50_010, 50_350, 50_000], pa.int64())})
    log = SendLog([1_000, 2_000], [50_000, 50_100])
    assert freshness(rows, log).tolist() == [10.0, 250.0, 0.0]
    assert freshness(rows, log, before_end_ms=500).tolist() == [10.0, 300.0, 0.0]


def test_the_probe_reads_results_as_they_come(bootstrap: str, write_topic: Callable[..., None]) -> None:
    """Each result of partition 0 after the start is measured, by its event time, against when it was sent."""
    write_topic(ANALYSIS, [b"before"], ts_ms=5)
    log = SendLog([1_000, 2_000], [1, 2])
    probe = AnalysisProbe(bootstrap, end_position(bootstrap, ANALYSIS))
    probe.start()
    write_topic(ANALYSIS, [b"result"] * 3, ts_ms=1_500)
    write_topic(ANALYSIS, [b"elsewhere"], partition=1, ts_ms=1_500)
    deadline = time.monotonic() + _DEADLINE_S
    while len(probe.latencies(log)) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    probe.end()
    assert not probe.is_alive()
    measured = probe.latencies(log)
    assert len(measured) == 3
    assert (measured > 0).all()


def test_a_probe_that_reads_nothing_measures_nothing(bootstrap: str) -> None:
    """An idle topic has no latency."""
    probe = AnalysisProbe(bootstrap, Position(ANALYSIS, {0: 0}))
    probe.start()
    probe.end()
    assert percentiles(probe.latencies(SendLog())) == {"p50": None, "p99": None}
