from __future__ import annotations

import pytest

from pipelines.tables import clock_time, options


@pytest.mark.parametrize(
    ("milliseconds", "told"),
    [(0, "00:00:00.000"), (5_000, "00:00:05.000"), (300_001, "00:05:00.001"), (7_200_000, "02:00:00.000")],
)
def test_clock_time(milliseconds: int, told: str) -> None:
    """A duration is told as Flink's interval literals want it."""
    assert clock_time(milliseconds) == told


def test_quotes_in_options_are_doubled() -> None:
    """A value cannot end its own literal."""
    assert options({"path": "it's"}) == "'path' = 'it''s'"
