"""The Beam pipeline in this process, over files of a folder, against the pandas oracle."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import apache_beam as beam
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from features.lake.listing import listing
from features.lake.location import LakeLocation, open_lake
from features.lake.table import read_table
from features.machinery.arrow_groups import with_columns
from features.machinery.oracle import windows
from pipelines.beam_backfill import BeamBackfill, MergePanes, build
from tests.features.every_function import EVENT, MINUTE, START_MS, VIEWS, frame, random_events, same, table

if TYPE_CHECKING:
    from pathlib import Path

HOUR_MS = 3_600_000
AFTER_MS, UNTIL_MS = START_MS + 20 * MINUTE, START_MS + 100 * MINUTE


def generated() -> pd.DataFrame:
    """The events of many generated cases, each with channels of its own."""
    rows: list[tuple[Any, ...]] = []

    @settings(
        max_examples=25,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(EVENT, max_size=25))
    def collect(events: list[tuple[Any, ...]]) -> None:
        case = len(rows)
        rows.extend((*event[:4], event[4] and f"{case}-{event[4]}", *event[5:]) for event in events)

    collect()
    return frame(rows)


@pytest.fixture(scope="module")
def events() -> pd.DataFrame:
    """Generated cases and random events, all of them analysed: the lake holds no others."""
    return pd.concat([generated(), random_events(800)], ignore_index=True).assign(stage="")


@pytest.fixture(scope="module")
def lake(events: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of each hour as the stream leaves them; one says that another stands for it."""
    root: Path = tmp_path_factory.mktemp("lake")
    for hour, rows in events.groupby(events["ts"] // HOUR_MS):
        start = datetime.fromtimestamp(int(hour) * HOUR_MS // 1000, UTC)
        folder = root / "events" / f"{start:date=%Y-%m-%d/hour=%H}"
        folder.mkdir(parents=True)
        whole = table(rows).drop(["stage"])
        times = whole.column("ts").cast(pa.timestamp("ms")).cast(pa.timestamp("ns"))
        whole = with_columns(whole, {"ts": times})
        half = whole.num_rows // 2
        for name, part in (("part-0", whole.slice(0, half)), ("part-1", whole.slice(half)), ("part-2", whole)):
            pq.write_table(part, folder / name, use_deprecated_int96_timestamps=True)
        part = whole.replace_schema_metadata({b"echopulse.replaces": b'["part-2"]'}).slice(0, 0)
        pq.write_table(part, folder / "whole-1.parquet", use_deprecated_int96_timestamps=True)
    return root


def run(lake: Path, staging: Path) -> None:
    """Run the pipeline over the span."""
    config = BeamBackfill(
        LakeLocation(str(lake / "events")),
        LakeLocation(str(staging)),
        VIEWS,
        AFTER_MS,
        UNTIL_MS,
        5_000,
        shards=3,
        batch_rows=300,
    )
    with beam.Pipeline(options=PipelineOptions(["--runner=DirectRunner"])) as pipeline:
        build(pipeline, config)


def test_rows_are_the_oracles(events: pd.DataFrame, lake: Path, tmp_path: Path) -> None:
    """Of every function, those of the span and no others, in files like the job's; done twice, they are the same."""
    run(lake, tmp_path)
    run(lake, tmp_path)
    staged = open_lake(LakeLocation(str(tmp_path)))
    for view in VIEWS:
        name = f"features/{view.name}"
        found = read_table(staged, name)
        assert found is not None
        names = {footer.file.name for footer in listing(staged, name).live}
        assert names <= {f"part-{shard}.parquet" for shard in range(3)}
        assert found.schema.field("event_timestamp").type == pa.timestamp("ns")
        ends = found.column("event_timestamp").cast(pa.timestamp("ms"))
        hours = [f"{end:date=%Y-%m-%d/hour=%H}" for end in ends.to_pylist()]
        folders = zip(found.column("date").to_pylist(), found.column("hour").to_pylist(), strict=True)
        assert hours == [f"date={date}/hour={hour}" for date, hour in folders]
        rows = with_columns(found, {"event_timestamp": ends.cast(pa.int64()).combine_chunks()}).to_pandas()
        assert (rows["written_ms"] == rows["event_timestamp"] + 5_000).all()
        wanted = windows(view, events)
        span = (wanted["event_timestamp"] > AFTER_MS) & (wanted["event_timestamp"] <= UNTIL_MS)
        wanted = wanted[span].reset_index(drop=True)
        assert len(wanted) > 10
        same(rows, view, wanted)


def test_a_span_without_events_has_no_rows(tmp_path: Path) -> None:
    """And none of it fails."""
    (tmp_path / "lake").mkdir()
    run(tmp_path / "lake", tmp_path / "staging")
    assert not (tmp_path / "staging").exists()


def test_a_damaged_file_is_named(lake: Path, tmp_path: Path) -> None:
    """The one whose pages are no longer what its footer says."""
    folder = tmp_path / "events" / "date=2025-10-09" / "hour=09"
    folder.mkdir(parents=True)
    whole = next((lake / "events").rglob("part-1")).read_bytes()
    middle = len(whole) // 2
    (folder / "part-0").write_bytes(whole[:4] + bytes(middle) + whole[middle + 4 :])
    with pytest.raises(Exception, match="part-0"):
        run(tmp_path, tmp_path / "staging")


def test_panes_that_wait_are_merged_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where they become many, so that a worker's memory holds what is merged, not what came."""
    monkeypatch.setattr("pipelines.beam_backfill._WAITING_ROWS", 10)
    merging = MergePanes(VIEWS[:1])
    merging.setup()
    panes = merging._family.panes(table(random_events(200)))
    accumulator = merging.create_accumulator()
    for _ in range(9):
        accumulator = merging.add_input(accumulator, panes)
    assert len(accumulator) < 3
    accumulator = merging.merge_accumulators([accumulator, [panes]])
    total = sum(merging.extract_output(accumulator).column("rows").to_pylist())
    assert total == 10 * sum(panes.column("rows").to_pylist())
