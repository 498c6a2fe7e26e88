"""The freshness bench: where its steps end, what it reads and how it holds it against the limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.freshness import Course, ViewFreshness, evenly, section, view_freshness
from echopulse.gateway.scenario import load_scenario
from echopulse.gateway.simulator import simulate
from echopulse.settings import Settings
from echopulse.settings_sections import Lake
from features.machinery.view_spec import Column, CompiledView, ViewSchema
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path

VIEW = CompiledView(ViewSchema("channel_1m", (Column("channel_id", "string"),), ()), "", 60_000, 10_000)


@given(st.integers(10**12, 2 * 10**12), st.integers(20, 300))
def test_the_longest_steps_end_with_what_is_measured(wall_ms: int, seconds: int) -> None:
    """And no event lies ahead of the wall clock."""
    course = Course.of(wall_ms, seconds, 300_000)
    assert course.boundary_ms % 300_000 == 0
    assert course.boundary_ms - course.measured_ms == seconds * 1_000
    assert course.end_ms >= course.boundary_ms + 5_000
    assert course.begin_ms + course.behind_ms == wall_ms
    assert course.behind_ms >= 0
    assert course.events == 5 * (course.end_ms - course.begin_ms)


def test_events_are_sent_evenly() -> None:
    """From the beginning on, whatever parts they come in; but for its time each is as it was made."""
    made = list(simulate(load_scenario(), start_ms=7_000, seed=1, rate=5_000, events=2_500))
    parts = [part for batch in made for part in (batch.slice(0, 300), batch.slice(300))]
    sent = list(evenly(parts, Course(50_000, 52_000, 58_000, 60_000, 60_000)))
    times = np.concatenate([batch.column("ts").cast(pa.int64()).to_numpy() for batch in sent])
    assert times.tolist() == [ms for ms in range(50_000, 50_500) for _ in range(5)]
    others = [name for name in made[0].schema.names if name != "ts"]
    assert pa.Table.from_batches(sent).select(others).equals(pa.Table.from_batches(made).select(others))


COURSE = Course(50_000, 90_000, 110_000, 120_000, 60_000)


def lake(folder: Path, channels: list[str], ends: list[int], written: list[int]) -> Lake:
    """Return a lake with these rows of the view."""
    part = folder / "features" / "channel_1m" / "date=1970-01-01" / "hour=00"
    part.mkdir(parents=True)
    times = pa.array(ends, pa.timestamp("ms"))
    rows = {"channel_id": channels, "event_timestamp": times, "written_ms": pa.array(written, pa.int64())}
    pq.write_table(pa.table(rows), part / "part-0")
    return Lake(path=str(folder))


def test_each_event_waits_for_the_first_row_that_holds_it(tmp_path: Path) -> None:
    """On a clock that is a minute ahead; an event at the end of a window is in the next one."""
    ends = [100_000, 100_000, 110_000, 130_000]
    rows = lake(tmp_path, ["a", "b", "a", "a"], ends, [166_000, 166_500, 176_500, 1])
    spoken = pa.table({"ts": [90_000, 99_999, 100_000], "channel_id": ["a", "b", "a"]})
    found = view_freshness(rows, VIEW, COURSE, spoken, 5_000)
    assert found.waited_ms.tolist() == [16_000, 6_501, 16_500]
    assert (found.limit_ms, found.slowest_ms) == (16_000, 6_500)


def test_an_event_without_a_row_is_no_measurement(tmp_path: Path) -> None:
    """Nor is a run without events."""
    rows = lake(tmp_path, ["a"], [100_000], [166_000])
    for ts, channel, said in [
        ([95_000, 95_000], ["a", "b"], "1 of 2 events are in no row of channel_1m"),
        ([], [], "0 of 0 events are in no row of channel_1m"),
    ]:
        spoken = pa.table({"ts": pa.array(ts, pa.int64()), "channel_id": pa.array(channel, pa.string())})
        with pytest.raises(EchoPulseError) as caught:
            view_freshness(rows, VIEW, COURSE, spoken, 5_000)
        assert str(caught.value) == said


def test_each_view_is_held_against_its_limit() -> None:
    """p99 within or above it."""
    fast, slow = (
        ViewFreshness(name, np.array([6_000, ms]), 16_000, 900) for name, ms in [("a", 16_000), ("b", 16_200)]
    )
    figures = section([fast, slow], Settings(), 60, 3, 1.5).figures
    assert [figure.against for figure in figures] == ["", "within 16,000 ms", "", "", "ABOVE 16,000 ms", ""]
    assert [figures[place].median for place in (0, 2)] == [11_000, 900]
