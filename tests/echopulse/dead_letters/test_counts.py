"""Counting by kind of reason."""

from __future__ import annotations

import pytest

from echopulse.dead_letters.counts import MOST_REASONS, OTHER_REASONS, Counts, reason_kind


def test_reasons_that_differ_in_values_alone_are_one_kind() -> None:
    """Numbers, times, digests and quoted values."""
    first = reason_kind("ts 1970-01-01T00:00:00.000Z is before 2016-11-27T12:00:00.000Z, the limit of social.events")
    assert first == "ts … is before …, the limit of social.events"
    assert first == reason_kind("ts 1971-02-01T00:00:00Z is before 2016-12-27, the limit of social.events")
    assert reason_kind("id 'a' of 17 bytes") == reason_kind('id "bc" of 9.5 bytes') == "id … of … bytes"


@pytest.mark.parametrize(
    "time",
    [
        "2026-01-31",
        "2026-01-31T12:00:00Z",
        "2026-01-31 12:00",
        "2026-01-31T12:00:00.123456+02:00",
        "2026-01-31T12:00:00.123-0500",
        "2026-01-31T12:00:00,5-05",
        "20260131T120000Z",
        "20260131T1200+0200",
        "1769860800000",
    ],
)
def test_a_time_is_one_value(time: str) -> None:
    """With its fraction and its offset, in each form of ISO 8601; what stands around it is left."""
    assert reason_kind(f"ts {time} is before {time}, the limit") == "ts … is before …, the limit"
    assert reason_kind(f"ts {time}") == "ts …"


def test_the_most_frequent_come_first_and_kinds_are_bounded() -> None:
    """Whatever the reasons say."""
    counts = Counts()
    for number in range(MOST_REASONS + 10):
        counts.add("analyse", "failed on " + "x" * (number + 1))
    for _ in range(3):
        counts.add("analyse", "failed on xx")
    counts.add("time", "ts is missing")
    told = counts.told()
    assert list(told) == ["analyse", "time"]
    assert len(told["analyse"]) == MOST_REASONS + 1
    assert next(iter(told["analyse"].items())) == (OTHER_REASONS, 10)
    assert told["analyse"]["failed on xx"] == 4
    assert told["time"] == {"ts is missing": 1}
