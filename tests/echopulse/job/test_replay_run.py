"""What a replay notes on its way, and what it counts in the lake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from echopulse.gateway.dead_letters import DeadLetterProducer, now_ms
from echopulse.job.replay_run import _feature_rows, _late_rows, _LoggedProducer, _spoken, _view_freshness
from echopulse.job.timing import SendLog
from echopulse.settings_sections import Lake
from features.machinery.view_spec import CompiledView, ViewSchema
from schemas.arrow import EVENT

if TYPE_CHECKING:
    from pathlib import Path


def _events(*times: int) -> pa.RecordBatch:
    row = {"id": "e", "source": "t", "channel_id": "c", "user_id": "u", "raw_payload": b"{}", "metadata": []}
    return pa.RecordBatch.from_pylist([{**row, "ts": ts} for ts in times], schema=EVENT)


def test_sending_is_noted_with_the_newest_event_time(bootstrap: str) -> None:
    """Batches and heartbeats alike; an empty batch is no note."""
    now, log = now_ms(), SendLog()
    with DeadLetterProducer(bootstrap) as letters, _LoggedProducer(bootstrap, letters, log) as producer:
        producer.send(_events(now - 5, now - 9))
        producer.send(_events())
        producer.heartbeat(now)
        producer.flush()
    assert log.event_ms == [now - 5, now]
    assert len(log.wall_ms) == 2


def test_late_rows_are_the_marked_ones(tmp_path: Path) -> None:
    """None where the lake has no events yet."""
    lake = Lake(path=str(tmp_path))
    assert _late_rows(lake) == 0
    folder = tmp_path / "events" / "date=2026-01-31" / "hour=07"
    folder.mkdir(parents=True)
    pq.write_table(pa.table({"late": [True, False, True]}), folder / "part-0-0")
    assert _late_rows(lake) == 2


def test_feature_rows_are_those_written_since(tmp_path: Path) -> None:
    """Over all views, with the freshness of each; a view without a file has none."""
    views = [CompiledView(ViewSchema(name, (), ()), "", 60_000, 10_000) for name in ("channel_1m", "user_1m", "none")]
    for place, view in enumerate(views[:2]):
        folder = tmp_path / "features" / view.name / "date=2026-01-31" / "hour=07"
        folder.mkdir(parents=True)
        ends = pa.array([1_000, 2_000], pa.timestamp("ms"))
        written = pa.array([40_000, 50_300 + place], pa.int64())
        pq.write_table(pa.table({"event_timestamp": ends, "written_ms": written}), folder / "part-0-0")
    written = _feature_rows(Lake(path=str(tmp_path)), views, 50_000)
    assert {name: rows.num_rows for name, rows in written.items()} == {"channel_1m": 1, "user_1m": 1}
    assert _view_freshness(views, written, SendLog([-8_000, 2_000], [45_000, 50_100]), 5_000) == {
        "channel_1m": {"p50": 5_300.0, "p99": 5_300.0, "limit": 16_000.0},
        "user_1m": {"p50": 5_301.0, "p99": 5_301.0, "limit": 16_000.0},
    }
    assert _feature_rows(Lake(path=str(tmp_path)), views[2:], 0) == {}


def test_no_event_waits_for_a_row_that_says_nothing() -> None:
    """All its features are 0, missing or empty; one that is not is enough."""
    columns = {
        "n": pa.array([0, 0, 1, 0]),
        "mean": pa.array([None, 0.0, None, 0.5]),
        "top": pa.array(["[]", None, "[]", "[]"]),
    }
    ends = pa.array([1, 2, 3, 4], pa.timestamp("ms"))
    rows = pa.table({**columns, "event_timestamp": ends, "written_ms": pa.array([5, 6, 7, 8])})
    assert _spoken(rows).column("written_ms").to_pylist() == [7, 8]
