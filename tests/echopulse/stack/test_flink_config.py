"""The cluster's configuration folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from echopulse.stack.flink_config import flink_config, java_options, write_config

if TYPE_CHECKING:
    from echopulse.stack.settings import StackSettings


def test_what_is_written_is_yaml_and_closed_to_others(stack_settings: StackSettings) -> None:
    """Flink reads the file as YAML; it holds the S3 key."""
    folders = write_config(stack_settings, "taskmanager")
    path = folders.conf / "config.yaml"
    assert yaml.safe_load(path.read_text()) == flink_config(stack_settings)
    assert path.stat().st_mode & 0o077 == 0
    assert (stack_settings.data("flink") / "tmp").is_dir()


def test_plugins_have_folders_of_their_own(stack_settings: StackSettings) -> None:
    """Each plug-in has its class loader, hence its folder; writing twice leaves the same links."""
    for _ in range(2):
        folders = write_config(stack_settings, "jobmanager")
    found = {path.parent.name: path.name for path in folders.plugins.glob("*/*.jar")}
    assert found == {
        "metrics-prometheus": "flink-metrics-prometheus-2.3.0.jar",
        "s3-fs-hadoop": "flink-s3-fs-hadoop-2.3.0.jar",
    }


def test_state_restarts_and_addresses(stack_settings: StackSettings) -> None:
    """State in RocksDB with incremental checkpoints, restarts bounded, everything on the loopback address."""
    config = flink_config(stack_settings)
    assert config["state.backend.type"] == "rocksdb"
    assert config["execution.checkpointing.incremental"] is True
    assert config["restart-strategy.exponential-delay.attempts-before-reset-backoff"] == 30
    assert {value for key, value in config.items() if key.endswith("bind-host")} == {"127.0.0.1"}
    assert config["taskmanager.numberOfTaskSlots"] == stack_settings.parallelism


def test_the_wheels_own_java_options_are_kept() -> None:
    """Without them Arrow and the class loaders fail on closed modules."""
    assert "--add-opens=java.base/java.nio=ALL-UNNAMED" in java_options()
