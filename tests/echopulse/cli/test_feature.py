"""`echopulse feature`: what it prints, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pytest

from echopulse.cli.main import main

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
    assert "TABLE(HOP(" in views["channel_5m"]["sql"]
    panes = {each["name"]: each["sql"] for each in document["panes"]}
    assert sorted(panes) == ["panes_channel_id", "panes_user_id"]
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


def test_a_folder_that_is_no_repository_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """One line, exit 1."""
    monkeypatch.chdir(tmp_path)
    assert main(["feature", "list"]) == 1
    assert "features: no feature_store.yaml in it" in capfd.readouterr().err
