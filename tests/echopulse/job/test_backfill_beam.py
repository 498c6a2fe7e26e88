"""Batches of a backfill by Beam in this process."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from echopulse.job.backfill_beam import BatchBeam, innermost
from echopulse.settings import Settings
from echopulse.settings_sections import Lake
from features.machinery.catalog import compiled_views
from pipelines.backfill import BackfillConfig
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from features.machinery.view_spec import CompiledView

START = datetime(2026, 1, 31, 7, tzinfo=UTC)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where compiled views are kept."""
    folder: Path = tmp_path_factory.mktemp("home")
    return folder


@pytest.fixture(scope="module")
def views(request: pytest.FixtureRequest, home: Path) -> list[CompiledView]:
    """The project's."""
    return compiled_views(request.config.rootpath / "features", home)


@pytest.fixture
def config(tmp_path: Path) -> BackfillConfig:
    """An hour's backfill over one message."""
    folder = tmp_path / "lake" / "events" / "date=2026-01-31" / "hour=07"
    folder.mkdir(parents=True)
    row = {"event_id": "a", "channel_id": "c", "user_id": "u", "kind": "message", "toxicity": 0.5}
    at = pa.array([START.replace(tzinfo=None)], pa.timestamp("ms"))
    pq.write_table(pa.Table.from_pylist([row]).append_column("ts", at), folder / "part-0")
    return BackfillConfig(
        str(tmp_path / "lake" / "events"), str(tmp_path / "staging"), START, START + timedelta(hours=1), 5_000
    )


@pytest.fixture
def beam(tmp_path: Path, home: Path) -> BatchBeam:
    """Beam over a folder."""
    return BatchBeam(Settings(lake=Lake(path=str(tmp_path / "lake")), home=home), [], [])


def test_a_batch_writes_the_rows_of_its_views(
    beam: BatchBeam, config: BackfillConfig, views: list[CompiledView], tmp_path: Path
) -> None:
    """Of those views alone."""
    beam.run(config, views[:1], "2026-01-31", lambda: None)
    (table,) = (tmp_path / "staging" / "features").iterdir()
    assert table.name == views[0].name
    rows = pq.read_table(table)
    assert rows.column("channel_id").unique().to_pylist() == ["c"]
    assert set(views[0].columns) <= set(rows.column_names)


def test_a_batch_that_fails_says_why(beam: BatchBeam, config: BackfillConfig, views: list[CompiledView]) -> None:
    """In one line: the file that it could not read."""
    (file,) = Path(config.events).rglob("part-0")
    whole = file.read_bytes()
    file.write_bytes(whole[:4] + bytes(len(whole) // 3) + whole[4 + len(whole) // 3 :])
    with pytest.raises(EchoPulseError) as told:
        beam.run(config, views, "2026-01-31", lambda: None)
    assert str(told.value).startswith(f"the batch over 2026-01-31 failed: {file} is no whole Parquet file")
    assert "\n" not in str(told.value)


def test_a_lost_lease_ends_it(beam: BatchBeam, config: BackfillConfig, views: list[CompiledView]) -> None:
    """What is called meanwhile says so."""

    def lost() -> None:
        raise EchoPulseError("the lease is lost")

    with pytest.raises(EchoPulseError, match="the lease is lost"):
        beam.run(config, views, "2026-01-31", lost)
    for thread in threading.enumerate():
        if thread.name == "beam":
            thread.join(60)


def test_the_innermost_reason_is_told() -> None:
    """Of a worker's traceback the last error, without the step that Beam adds; else the last line."""
    text = "Traceback\n  File x\nValueError: bad\n\nDuring\n  raise\nfeatures.X.LakeError: gone [while running 'a']\n\n"
    assert innermost(text) == "features.X.LakeError: gone"
    assert innermost("one\ntwo") == "two"
    assert innermost("") == "no reason given"
