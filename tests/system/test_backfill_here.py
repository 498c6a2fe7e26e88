"""A backfill without any server: events in a folder, Flink in this process, rows in another folder."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

from echopulse.settings import Settings
from echopulse.settings_sections import Lake as LakeSettings
from features.machinery.feast_repo import declarations
from features.machinery.from_feast import from_feast
from schemas.codec import encode_events
from tests.system.chat import conversation
from tests.system.expected import feature_rows, lake_rows, same
from transforms.keys import string_keys

if TYPE_CHECKING:
    from features.machinery.view_spec import ViewSpec

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

ROWS = 3_000
START = datetime(2026, 1, 30, 22, tzinfo=UTC)
#: The span crosses midnight, begins and ends within an hour, and has events before and behind it.
AFTER, UNTIL = START + timedelta(minutes=90), START + timedelta(minutes=150)
HOURS = 5


@pytest.fixture(scope="module")
def events() -> pd.DataFrame:
    """Five hours of analysed events, those of window edges among them, every tenth late."""
    random = np.random.default_rng(3)
    ts = round(START.timestamp() * 1000) + random.integers(0, HOURS * 3_600_000, ROWS)
    ts = np.where(random.random(ROWS) < 0.2, ts // 10_000 * 10_000, ts)
    frame = pd.DataFrame(
        {
            "ts": ts,
            "stage": "",
            "event_id": [f"e{number}" for number in range(ROWS)],
            "channel_id": random.choice(["x:a", "x:b", "x:ü"], ROWS),
            "user_id": random.choice(["", *(f"xu{number}" for number in range(9))], ROWS),
            "kind": random.choice(["message", "edit", "join", "delete"], ROWS),
            "target": "",
            "toxicity": random.random(ROWS),
            "toxic": random.integers(0, 2, ROWS).astype("int32"),
            "sentiment_score": random.integers(-1, 2, ROWS).astype("int32"),
            "emoji_count": random.integers(0, 5, ROWS).astype("int32"),
            "text_key": random.integers(0, 6, ROWS).astype("int32"),
            "late": random.random(ROWS) < 0.1,
            "event": b"e",
            "result": b"r",
        }
    )
    return frame.assign(user_key=string_keys(pa.array(frame["user_id"])).to_pandas().astype("Int32"))


@pytest.fixture(scope="module")
def lake(events: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The events as the stream leaves them, with a file of each hour that a crashed compaction stood another for."""
    root: Path = tmp_path_factory.mktemp("lake") / "lake"
    for hour, rows in events.groupby(events["ts"] // 3_600_000):
        folder = root / "events" / datetime.fromtimestamp(int(hour) * 3600, UTC).strftime("date=%Y-%m-%d/hour=%H")
        folder.mkdir(parents=True)
        table = pa.Table.from_pandas(rows.drop(columns="stage"), preserve_index=False)
        times = pa.array(rows["ts"]).cast(pa.timestamp("ms")).cast(pa.timestamp("ns"))
        table = table.set_column(table.schema.get_field_index("ts"), "ts", times)
        named = table.replace_schema_metadata({b"echopulse.replaces": json.dumps(["part-0"]).encode()})
        pq.write_table(table, folder / "part-0", use_deprecated_int96_timestamps=True)
        pq.write_table(named, folder / "whole-1.parquet", use_deprecated_int96_timestamps=True)
    return root


def specs(request: pytest.FixtureRequest) -> list[ViewSpec]:
    """The declared views."""
    return [from_feast(view) for view in declarations(request.config.rootpath / "features").stream_feature_views]


def backfill(lake: Path, *arguments: str) -> dict[str, Any]:
    """Run the command and return its document."""
    config = lake.parent / "echopulse.yaml"
    config.write_text(json.dumps({"home": str(lake.parent / "home"), "lake": {"path": str(lake)}}), "utf-8")
    span = ["--from", AFTER.isoformat(), "--to", UNTIL.isoformat()]
    command = [sys.executable, "-m", "echopulse.cli.main", "pipeline", "backfill", *span, *arguments]
    done = subprocess.run(
        [*command, "--json", "--config", str(config)], timeout=600, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "GCSFileSystem" not in done.stderr
    document = json.loads(done.stdout)
    assert isinstance(document, dict)
    return document


def test_rows_are_the_oracles(request: pytest.FixtureRequest, events: pd.DataFrame, lake: Path) -> None:
    """Of the span's windows each row and no other, late events counted; the second run finds nothing to do."""
    output = lake.parent / "output"
    planned = backfill(lake, "--output", str(output), "--dry-run")
    assert [day["day"] for day in planned["days"]] == ["2026-01-30", "2026-01-31"]
    assert planned["estimated_seconds"] is None
    done = backfill(lake, "--output", str(output), "--here")
    settings = Settings(lake=LakeSettings(path=str(output)))
    after_ms, until_ms = (round(each.timestamp() * 1000) for each in (AFTER, UNTIL))
    total = 0
    for spec in specs(request):
        wanted = feature_rows(spec, events, until_ms)
        wanted = wanted[wanted["event_timestamp"] > after_ms].reset_index(drop=True)
        assert len(wanted) > 0
        same(lake_rows(settings, spec, "x", until_ms), wanted, spec.name)
        assert done["rows"][spec.name] == len(wanted)
        total += len(wanted)
    assert (done["published"], done["replaced"], done["online_written"]) == (total, 0, 0)
    assert list((output / "_backfill").glob("*/")) == []
    again = backfill(lake, "--output", str(output), "--here")
    assert (again["days"], again["skipped_days"]) == ([], ["2026-01-30", "2026-01-31"])


def test_beams_rows_are_flinks(request: pytest.FixtureRequest, lake: Path) -> None:
    """From one lake the same rows, to the last bit, in files of the same columns; done again, in the same place."""
    flink, beam = lake.parent / "output", lake.parent / "beam"
    backfill(lake, "--output", str(flink), "--here")
    done = backfill(lake, "--output", str(beam), "--engine", "beam", "--beam-option", "direct_num_workers=1")
    again = backfill(lake, "--output", str(beam), "--engine", "beam", "--again")
    assert again["published"] == again["replaced"] == done["published"] > 1_000
    assert list((beam / "_backfill").glob("*/")) == []
    assert same_rows(flink, beam, specs(request)) == done["published"]


def test_beam_analyses_anew_as_flink_does(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Original events, of whose scores the lake has none: the models run in Beam's worker as in Flink's."""
    start_ms = round(AFTER.timestamp() * 1000)
    chat = conversation("anew", start_ms, minutes=120, count=ROWS, seed=2)
    times = chat.column("ts").cast(pa.timestamp("ms")).cast(pa.timestamp("ns"))
    hours = pc.floor(pc.divide(chat.column("ts").cast(pa.int64()), 3_600_000)).to_numpy()
    table = pa.table({"event_id": chat.column("id"), "ts": times, "event": encode_events(chat)})
    for hour in np.unique(hours):
        folder = tmp_path / "lake" / "events" / f"{datetime.fromtimestamp(hour * 3600, UTC):date=%Y-%m-%d/hour=%H}"
        folder.mkdir(parents=True)
        pq.write_table(table.filter(pa.array(hours == hour)), folder / "part-0", use_deprecated_int96_timestamps=True)
    flink, beam = tmp_path / "flink", tmp_path / "beam"
    backfill(tmp_path / "lake", "--output", str(flink), "--rescore", "--here")
    done = backfill(tmp_path / "lake", "--output", str(beam), "--rescore", "--engine", "beam")
    assert same_rows(flink, beam, specs(request)) == done["published"] > 1_000
    scores = ds.dataset(beam / "features" / "channel_1m", partitioning="hive").to_table(["mean_toxicity"])
    assert pc.count_distinct(scores.column(0)).as_py() > 20


def same_rows(one: Path, other: Path, views: list[ViewSpec]) -> int:
    """Assert that two lakes hold the same rows of views, and tell how many."""
    rows = 0
    for view in views:
        keys = [*(key.name for key in view.join_keys), "event_timestamp"]
        tables = [ds.dataset(root / "features" / view.name, partitioning="hive").to_table() for root in (one, other)]
        assert tables[0].schema.equals(tables[1].schema)
        wanted, found = (table.sort_by([(key, "ascending") for key in keys]).to_pandas() for table in tables)
        assert_frame_equal(found, wanted, check_exact=True, obj=view.name)
        rows += len(found)
    return rows


def test_analysed_anew_by_one_operator(request: pytest.FixtureRequest, lake: Path) -> None:
    """Both tables of panes read one analysis of the original events; planned in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.system.test_backfill_here", str(lake)],
        cwd=request.config.rootpath,
        timeout=300,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {"analyse": 1}


def plan(lake: Path) -> dict[str, int]:
    """Count the Python operators in the plan of a backfill that analyses anew."""
    from echopulse.job.backfill_flink import start_jvm  # noqa: PLC0415 for the process that plans
    from echopulse.job.plan import python_calls  # noqa: PLC0415 as above
    from echopulse.job.submit import FEATURES  # noqa: PLC0415 as above
    from echopulse.stack import flink_jars  # noqa: PLC0415 as above
    from features.machinery.catalog import compiled_views  # noqa: PLC0415 as above
    from pipelines.backfill import BackfillConfig, declare  # noqa: PLC0415 as above
    from pipelines.environment import batch_environment  # noqa: PLC0415 as above
    from transforms.selection import Selection  # noqa: PLC0415 as above

    start_jvm()
    staging = str(lake.parent / "staging")
    config = BackfillConfig(str(lake / "events"), staging, AFTER, UNTIL, 5_000, Selection())
    table = batch_environment(config, flink_jars(Settings()))
    return python_calls(declare(table, config, compiled_views(FEATURES, lake.parent / "home")).explain())


if __name__ == "__main__":
    sys.stdout.write(json.dumps(plan(Path(sys.argv[1]))) + "\n")
