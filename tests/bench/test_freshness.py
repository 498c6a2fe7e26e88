"""The freshness bench: where its steps end, what it reads and how it holds it against the limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.freshness import Course, ViewFreshness, section, view_freshness
from echopulse.settings import Settings
from echopulse.settings_sections import Lake
from features.machinery.view_spec import CompiledView, ViewSchema
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path

VIEW = CompiledView(ViewSchema("channel_1m", (), ()), "", 60_000, 10_000)


@given(st.integers(10**12, 2 * 10**12), st.integers(20, 60))
def test_the_longest_steps_end_inside_the_run(wall_ms: int, seconds: int) -> None:
    """And no event lies ahead of the wall clock."""
    course = Course.of(wall_ms, seconds, 300_000)
    assert course.measured_ms < course.end_ms // 300_000 * 300_000 <= course.end_ms - 5_000
    assert course.begin_ms + course.behind_ms == wall_ms
    assert course.behind_ms >= 0
    assert course.end_ms - course.measured_ms == seconds * 1_000


def test_rows_of_windows_that_ended_meanwhile_are_read(tmp_path: Path) -> None:
    """Written at 66 s on a clock that is a minute ahead: six seconds after the end, sixteen after the step began."""
    folder = tmp_path / "features" / "channel_1m" / "date=1970-01-01" / "hour=00"
    folder.mkdir(parents=True)
    ends = pa.array([90_000, 100_000, 110_000, 130_000], pa.timestamp("ms"))
    written = pa.array([1, 166_000, 176_500, 1], pa.int64())
    pq.write_table(pa.table({"event_timestamp": ends, "written_ms": written}), folder / "part-0")
    found = view_freshness(Lake(path=str(tmp_path)), VIEW, Course(50_000, 90_000, 120_000, 60_000), 5_000)
    assert found.milliseconds.tolist() == [16_000, 16_500]
    assert found.limit_ms == 16_000


def test_each_view_is_held_against_its_limit() -> None:
    """p99 within or above it; a view without a window is no measurement."""
    fast, slow = (ViewFreshness(name, np.array([6_000, ms]), 16_000) for name, ms in [("a", 16_000), ("b", 16_200)])
    figures = section([fast, slow], Settings(), 60, 3, 1.5).figures
    assert [figure.against for figure in figures] == ["", "within 16,000 ms", "", "ABOVE 16,000 ms"]
    assert figures[0].median == 11_000
    with pytest.raises(EchoPulseError) as caught:
        section([ViewFreshness("c", np.zeros(0, np.int64), 16_000)], Settings(), 60, 3, 1.5)
    assert str(caught.value) == "no window of c ended while it was measured"
