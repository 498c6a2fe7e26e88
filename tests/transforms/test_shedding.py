"""Load shed on purpose."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from schemas.errors import EchoPulseError
from transforms.shedding import parse_shedding


def _batch(rows: int, hour: int) -> pa.RecordBatch:
    times = pa.array([datetime(2026, 5, 1, hour, tzinfo=UTC)] * rows, pa.timestamp("ms", "UTC"))
    return pa.RecordBatch.from_arrays([pa.array([f"event-{row}" for row in range(rows)]), times], names=["id", "ts"])


def test_share_of_the_span() -> None:
    """About the share is shed inside the span and nothing outside it; the same events each time."""
    shedding = parse_shedding("2026-05-01T18:00Z/2026-05-01T20:00Z=0.25, 2026-05-01T19:00/=1")
    assert shedding.sheds(_batch(4_000, 18)).mean() == pytest.approx(0.25, abs=0.03)
    assert np.array_equal(shedding.sheds(_batch(4_000, 18))[:100], shedding.sheds(_batch(100, 18)))
    assert not shedding.sheds(_batch(100, 17)).any()
    assert shedding.sheds(_batch(100, 21)).all()


@pytest.mark.parametrize("text", ["", "0.5", "a/b=0.5", "2026-05-01/2026-04-01=0.5", "/=1.5", "/=x", "/=1.2.3"])
def test_faults(text: str) -> None:
    """What is no span of time and share is told, with the form."""
    with pytest.raises(EchoPulseError, match=r"shed: .*open end"):
        parse_shedding(text)
