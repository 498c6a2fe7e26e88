"""The job's configuration, filled from the settings."""

from __future__ import annotations

from pathlib import Path

from echopulse.job.configuration import FEAST_PROJECT, metrics_folder, signals_config
from echopulse.settings import Settings
from pipelines.config import SignalsConfig


def test_every_setting_arrives() -> None:
    """Addresses, modes, times and sizes are the settings' own; strategy folders no longer hang on the current one."""
    document = {
        "kafka": {"bootstrap": "k:1"},
        "online_store": {
            "connection": "r:2",
            "key_ttl_seconds": 7,
            "redis_type": "redis_sentinel",
            "sentinel_master": "m",
            "keys": "env:K",
        },
        "lake": {"path": "s3://b/p"},
        "flink": {"parallelism": 3, "delivery": "at-least-once", "checkpoint_interval_ms": 4},
        "job": {
            "watermark_delay_ms": 5,
            "idle_timeout_ms": 6,
            "repeat_ttl_ms": 8,
            "bundle_size": 9,
            "bundle_time_ms": 10,
        },
        "strategies": {"sentiment": "mine"},
        "strategy_paths": ["plugins"],
        "strategy_options": {"sentiment/mine": {"depth": "3"}},
        "shadow": {"toxicity": ["mine"]},
    }
    config = signals_config(Settings.model_validate(document))
    assert (config.kafka_bootstrap, config.lake.path) == ("k:1", "s3://b/p")
    assert (config.online_store.connection, config.online_store.key_ttl_s) == ("r:2", 7)
    store = config.online_store
    assert (store.redis_type, store.sentinel_master, store.keys) == ("redis_sentinel", "m", "env:K")
    assert config.online_store.project == FEAST_PROJECT
    assert (config.parallelism, config.delivery, config.checkpoint_interval_ms) == (3, "at-least-once", 4)
    assert (config.watermark_delay_ms, config.idle_timeout_ms, config.repeat_ttl_ms) == (5, 6, 8)
    assert (config.bundle_size, config.bundle_time_ms) == (9, 10)
    assert config.strategies["sentiment"] == "mine"
    assert config.strategy_paths == (Path("plugins").resolve(),)
    assert config.strategy_options == {"sentiment/mine": {"depth": "3"}}
    assert config.shadow == {"toxicity": ["mine"]}


def test_defaults_stand_once() -> None:
    """The settings' defaults are the job's own; without settings there is no home for metrics."""
    made = signals_config(Settings())
    assert made.metrics_folder == str(metrics_folder(Settings()))
    plain = SignalsConfig(
        made.kafka_bootstrap, made.lake, made.online_store, made.strategies, metrics_folder=made.metrics_folder
    )
    assert made == plain
