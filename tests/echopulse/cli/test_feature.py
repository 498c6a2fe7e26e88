"""`echopulse feature`: what it prints, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pytest

from echopulse.cli.main import main
from features.machinery.view_spec import Column, ViewSchema
from tests.echopulse.feature_query.lakes import write_rows

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """
project: echopulse
provider: local
registry: registry.db
online_store: {type: features.machinery.online_store.EchoPulseOnlineStore}
offline_store: {type: duckdb}
entity_key_serialization_version: 3
"""

DECLARED = """
from datetime import timedelta
from feast import Entity, FeatureService, Field, FileSource, KafkaSource
from feast.aggregation import Aggregation
from feast.data_format import JsonFormat, ParquetFormat
from feast.stream_feature_view import StreamFeatureView
from feast.types import Int64, String
from feast.value_type import ValueType

channel = Entity(name="channel", join_keys=["channel_id"], value_type=ValueType.STRING)
rows = FileSource(
    name="rows",
    path="{lake}/features/talk_1m/",
    file_format=ParquetFormat(),
    timestamp_field="event_timestamp",
)
events = KafkaSource(
    name="events",
    kafka_bootstrap_servers="127.0.0.1:1",
    topic="social.analysis",
    timestamp_field="ts",
    message_format=JsonFormat(schema_json=""),
    batch_source=rows,
)
minute = timedelta(minutes=1)
talk = StreamFeatureView(
    name="talk_1m",
    entities=[channel],
    schema=[Field(name="channel_id", dtype=String), Field(name="messages", dtype=Int64)],
    source=events,
    aggregations=[
        Aggregation(name="messages", function="count", column="event_id", time_window=minute, slide_interval=minute)
    ],
    timestamp_field="ts",
)
service = FeatureService(name="talk", features=[talk])
"""


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of the project's declarations in an empty folder, its online store nowhere."""
    monkeypatch.chdir(tmp_path)
    # The command sets these for Feast; noted here, they are put back afterwards.
    for name, value in {
        "ECHOPULSE_ONLINE_STORE__CONNECTION": "127.0.0.1:1",
        "ECHOPULSE_KAFKA__BOOTSTRAP": "127.0.0.1:1",
        "ECHOPULSE_LAKE__PATH": "s3://echopulse/lake",
        "ECHOPULSE_LAKE__ENDPOINT": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "features"
    folder.mkdir()
    (folder / "feature_store.yaml").write_text(CONFIG, encoding="utf-8")
    (folder / "cli_declared.py").write_text("from features.services import *\n", encoding="utf-8")
    return folder


def test_apply_then_list_then_get(repo: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Each prints one JSON document; a store that is away is one line and exit 1."""
    assert repo.is_dir()
    assert main(["feature", "apply", "--json"]) == 0
    applied = orjson.loads(capfd.readouterr().out)
    assert sorted(applied["views"]) == ["channel_1h", "channel_1m", "channel_5m", "user_1h", "user_1m", "user_5m"]
    assert (applied["entities"], applied["removed"]) == (["channel", "user"], [])

    assert main(["feature", "list", "--sql", "--json"]) == 0
    document = orjson.loads(capfd.readouterr().out)
    views = {view["name"]: view for view in document["views"]}
    assert (views["channel_5m"]["window_ms"], views["channel_5m"]["slide_ms"]) == (300_000, 60_000)
    assert views["user_1m"]["features"]["repeats"] == "int64"
    assert "FROM `panes_channel_id_55m_before_5m`" in views["channel_1h"]["sql"]
    panes = {each["name"]: each["sql"] for each in document["panes"]}
    assert {"panes_channel_id", "panes_channel_id_5m", "panes_user_id"} <= set(panes)
    assert "TABLE(HOP(" in panes["panes_channel_id_55m_before_5m"]
    assert "TABLE(TUMBLE(" in panes["panes_user_id"]

    assert main(["feature", "list"]) == 0
    assert "channel_1m  by channel_id, 60 s every 10 s: message_count" in capfd.readouterr().out

    assert main(["feature", "get", "channel_1m", "--entity", "channel_id=twitch:a"]) == 1
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("echopulse: channel_1m: the online store does not answer")


def test_an_entity_that_is_no_pair_is_wrong_usage(repo: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Exit 2, with an example."""
    assert repo.is_dir()
    assert main(["feature", "get", "channel_1m", "--entity", "twitch:a"]) == 2
    assert "--entity 'twitch:a' is not KEY=VALUE" in capfd.readouterr().err


def test_history_joins_what_a_lake_holds(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """From a file of entities to a file with features; the report says how many rows have none."""
    monkeypatch.setenv("ECHOPULSE_LAKE__PATH", str(tmp_path / "lake"))
    config = CONFIG.replace("duckdb", "features.lake.offline_store.EchoPulseOfflineStore")
    (repo / "feature_store.yaml").write_text(config, encoding="utf-8")
    # Its own declarations: those of the project were read with another lake by the tests before.
    (repo / "cli_declared.py").unlink()
    (repo / "talk_declared.py").write_text(DECLARED.format(lake=tmp_path / "lake"), encoding="utf-8")
    assert main(["feature", "apply"]) == 0
    view = ViewSchema("talk_1m", (Column("channel_id", "string"),), (Column("messages", "int64"),), 0)
    write_rows(tmp_path / "lake", view, ("twitch-a", 7, 1_769_860_800_000))
    moments = "channel_id,event_timestamp,label\ntwitch-b,2026-01-31T12:01Z,calm\ntwitch-a,2026-01-31T12:01Z,raid\n"
    (tmp_path / "moments.csv").write_text(moments, encoding="utf-8")
    capfd.readouterr()
    command = ["feature", "history", "--entities", "moments.csv", "--service", "talk", "--output", "set.jsonl"]
    assert main([*command, "--json"]) == 0, capfd.readouterr().err
    streams = capfd.readouterr()
    assert streams.err.splitlines() == [
        "reading moments.csv",
        "opening the feature store",
        "joining 2 rows with talk over the lake",
        "writing set.jsonl",
    ]
    document = orjson.loads(streams.out)
    assert document == {
        "output": "set.jsonl",
        "service": "talk",
        "rows": 2,
        "features": ["talk_1m__messages"],
        "without_any": 1,
    }
    rows = [orjson.loads(line) for line in (tmp_path / "set.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(row["channel_id"], row["talk_1m__messages"], row["label"]) for row in rows] == [
        ("twitch-b", None, "calm"),
        ("twitch-a", 7.0, "raid"),
    ]
    assert main(["feature", "get", "talk_1m", "--entity", "channel_id=twitch-a", "--at", "2026-01-31T12:00:05Z"]) == 0
    assert "messages  7" in capfd.readouterr().out
    absent = ["feature", "get", "talk_1m", "--entity", "channel_id=twitch-b", "--at", "2026-01-31T12:00:05Z"]
    assert main(absent) == 1
    told = "no values for channel_id=twitch-b in talk_1m (none could be read at 2026-01-31T12:00:05Z)"
    assert capfd.readouterr() == ("", f"echopulse: {told}\n")
    assert main([*absent, "--json"]) == 1
    assert orjson.loads(capfd.readouterr().out)["found"] is False
    assert main([*command[:-1], "set.txt"]) == 2
    assert "'set.txt' ends in '.txt'" in capfd.readouterr().err


def test_a_folder_that_is_no_repository_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """One line, exit 1."""
    monkeypatch.chdir(tmp_path)
    assert main(["feature", "list"]) == 1
    assert "features: no feature_store.yaml in it" in capfd.readouterr().err


def test_forget_tells_its_steps(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """On stderr, before the line that says that the online store does not answer."""
    assert repo.is_dir()
    monkeypatch.setenv("ECHOPULSE_LAKE__PATH", str(tmp_path / "lake"))
    assert main(["feature", "forget", "--user", "ann", "--json"]) == 1
    streams = capfd.readouterr()
    assert streams.out == ""
    *steps, failure = streams.err.splitlines()
    assert steps == ["reading the declarations of views", "looking for the user in the lake", "online store"]
    assert failure.startswith("echopulse: the online store does not answer")
