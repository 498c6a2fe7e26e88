"""Event times, their limits and their slides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from echopulse.gateway.event_time import TimeRange, aligned_end, iso, milliseconds, times
from schemas.topics import DAY_MS, HOUR_MS

NOW = 1_800_000_000_000

_moments = st.datetimes(
    datetime(1990, 1, 1),  # noqa: DTZ001 - the zone is drawn beside it
    datetime(2100, 1, 1),  # noqa: DTZ001 - as above
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9, minutes=-30))]),
)


@given(st.lists(st.one_of(st.none(), _moments), max_size=20))
def test_text_with_offsets_is_read_as_by_a_calendar(moments: list[datetime | None]) -> None:
    """The vectorised way equals Python's own arithmetic, cut to whole milliseconds."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    faults: dict[int, tuple[str, str]] = {}
    read = times([None if moment is None else moment.isoformat() for moment in moments], faults)
    assert read.to_pylist() == [None if one is None else (one - epoch) // timedelta(milliseconds=1) for one in moments]
    assert not faults


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2027-01-15T08:00:00Z", NOW),
        ("2027-01-15 10:00:00+02:00", NOW),
        ("2027-01-15T08:00:00", NOW),
        ("2027-01-15T08:00:00.123456789Z", NOW + 123),
        ("2027-01-15", NOW - 8 * HOUR_MS),
        (NOW, NOW),
        (NOW + 0.9, NOW),
        (str(NOW), NOW),
        (f"{NOW}.0", NOW),
        (b"2027-01-15T08:00:00Z", NOW),
    ],
)
def test_each_form_of_a_time_is_read(written: object, expected: int) -> None:
    """Every form is read alone and among others."""
    assert milliseconds(written) == expected
    assert times([written], {}).to_pylist() == [expected]
    assert times([written, 1, "2027-01-15T08:00:00Z"], {}).to_pylist() == [expected, 1, NOW]


@pytest.mark.parametrize(
    "value", [True, "yesterday", "", [], {}, float("nan"), 2**63, "2027-02-30T00:00:00Z", "x" * 500]
)
def test_what_is_no_time_is_a_fault_of_its_own_row(value: object) -> None:
    """A bad value is null and named, shortened; its neighbours are read."""
    faults: dict[int, tuple[str, str]] = {}
    assert times([NOW, value, NOW], faults).to_pylist() == [NOW, None, NOW]
    assert list(faults) == [1]
    assert faults[1][0] == "validate"
    assert "is not a time" in faults[1][1]
    assert len(faults[1][1]) < 160


def test_the_range_is_ten_years_back_and_an_hour_ahead() -> None:
    """Both ends are inside, a millisecond beyond is not; the newest inside is found among outliers."""
    limits = TimeRange.around(NOW)
    inside = [NOW - 3650 * DAY_MS, NOW, NOW + HOUR_MS]
    read = pa.array([*inside, NOW - 3650 * DAY_MS - 1, NOW + HOUR_MS + 1, None], pa.int64())
    assert limits.holds(read).to_pylist() == [True, True, True, False, False, None]
    assert limits.newest_of(read) == NOW + HOUR_MS
    assert limits.newest_of(pa.array([0, None], pa.int64())) is None
    assert TimeRange.around(NOW, kept_free_ms=5).newest_ms == NOW + HOUR_MS - 5


def test_the_reason_names_time_limit_and_near_miss() -> None:
    """A time in seconds is recognised."""
    limits = TimeRange.around(NOW)
    assert (
        limits.why_not(0)
        == "ts 1970-01-01T00:00:00.000Z is before 2017-01-17T08:00:00.000Z, the limit of social.events"
    )
    assert limits.why_not(2**62).startswith("ts 4611686018427387904 ms is after 2027-01-15T09:00:00.000Z")
    assert limits.why_not(NOW // 1000).endswith("; it looks like seconds, and a number is read as milliseconds")


@given(st.integers(0, 4 * NOW), st.integers(1, 10_000_000))
def test_the_aligned_end_is_the_first_boundary_after_the_event(last_ms: int, slide_ms: int) -> None:
    """An event on a boundary belongs to the slide that begins there."""
    end = aligned_end(last_ms, slide_ms)
    assert end % slide_ms == 0
    assert end - slide_ms <= last_ms < end


def test_times_are_written_for_people() -> None:
    """Where no calendar reaches, the number stands with its unit."""
    assert iso(NOW + 5) == "2027-01-15T08:00:00.005Z"
    assert iso(10**18) == "1000000000000000000 ms"
