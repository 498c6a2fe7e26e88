"""The rate of a stream, on a clock of the test."""

from __future__ import annotations

import pyarrow as pa
import pytest

from echopulse.gateway import pacing
from echopulse.gateway.pacing import Pace

BATCH = pa.record_batch({"n": list(range(1000))})


class _Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_without_a_rate_the_batch_passes_whole() -> None:
    """No copy, no wait."""
    assert list(Pace(None).slices(BATCH)) == [BATCH]


@pytest.mark.parametrize(("rate", "rows"), [(2000, 100), (1, 1), (0.5, 1)])
def test_slices_come_at_the_rate(monkeypatch: pytest.MonkeyPatch, rate: float, rows: int) -> None:
    """Each slice is due when the rows before it have had their time, across batches."""
    clock = _Clock()
    monkeypatch.setattr(pacing, "time", clock)
    pace, passed = Pace(rate), 0
    for _ in range(2):
        for piece in pace.slices(BATCH):
            assert piece.num_rows == rows
            assert clock.now == pytest.approx(100 + passed / rate)
            passed += piece.num_rows
    assert passed == 2000
