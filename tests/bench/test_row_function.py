from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pyarrow as pa

from bench.row_function import AnalyseRow
from bench.simulated import events
from pipelines.functions import Analyse
from schemas.arrow import EXCHANGED
from schemas.codec import encode_events
from transforms.selection import Selection

_START_MS = 1_767_225_600_000


def test_both_functions_return_the_same_rows() -> None:
    """What Flink is given does not tell which of the two made it."""
    batch = events(500, _START_MS, seed=9)[0]
    values = encode_events(batch).to_pylist()
    times = batch.column("ts").cast(pa.int64()).to_pylist()
    vectorised, by_row = Analyse(Selection()), AnalyseRow({})
    vectorised.open(None)
    by_row.open(None)
    wanted = vectorised.eval(pd.Series(values), pd.Series(pd.to_datetime(times, unit="ms", utc=True)))
    moments = [datetime.fromtimestamp(time_ms / 1000, UTC) for time_ms in times]
    found = [by_row.eval(value, moment) for value, moment in zip(values, moments, strict=True)]
    assert [dict(zip(EXCHANGED.names, row, strict=True)) for row in found] == wanted.tolist()
