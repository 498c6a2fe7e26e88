"""The settings as environment variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from echopulse.job.environment import feast_environment, feast_variables
from echopulse.settings import Settings, load

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_child_reads_the_same_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was set in a file here is set by variables there, and the home is the same folder."""
    monkeypatch.chdir(tmp_path)
    settings = Settings.model_validate(
        {
            "home": "here",
            "kafka": {"bootstrap": "k:1"},
            "online_store": {"connection": "r:2", "redis_type": "redis_cluster", "keys": "file:keys"},
            "lake": {"path": "s3://b/p", "endpoint": "http://s:3"},
        }
    )
    for name, value in feast_environment(settings).items():
        monkeypatch.setenv(name, value)
    child = load()
    assert child.home == tmp_path / "here"
    assert (child.kafka.bootstrap, child.online_store.connection) == ("k:1", "r:2")
    assert (child.online_store.redis_type, child.online_store.keys) == ("redis_cluster", f"file:{tmp_path}/keys")
    assert (child.lake.path, child.lake.endpoint) == ("s3://b/p", "http://s:3")


def test_the_stores_keys_go_under_the_names_that_s3_libraries_read() -> None:
    """Feast's offline store takes them from there."""
    lake = {"access_key": "me", "secret_key": "hush", "region": "eu-1"}
    variables = feast_variables(Settings.model_validate({"lake": lake}))
    assert variables["AWS_ACCESS_KEY_ID"] == "me"
    assert variables["AWS_SECRET_ACCESS_KEY"] == "hush"
    assert variables["AWS_REGION"] == "eu-1"
