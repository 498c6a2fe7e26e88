"""The job's Flink settings."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from features.machinery.connection import OnlineStoreSettings
from pipelines.backfill import BackfillConfig
from pipelines.config import LakeSettings, SignalsConfig
from pipelines.environment import job_settings, workers_here
from transforms.selection import Selection

CONFIG = SignalsConfig("kafka:9092", LakeSettings("s3://bucket/lake"), OnlineStoreSettings(), {})


@pytest.mark.parametrize(("delivery", "mode"), [("exactly-once", "EXACTLY_ONCE"), ("at-least-once", "AT_LEAST_ONCE")])
def test_checkpoints_are_of_the_mode_that_was_asked_for(delivery: str, mode: str) -> None:
    """The delivery of the sinks rests on them."""
    settings = job_settings(replace(CONFIG, delivery=delivery))  # type: ignore[arg-type]
    assert settings["execution.checkpointing.mode"] == mode


def test_sizes_and_times_arrive() -> None:
    """Each with the unit that Flink reads."""
    settings = job_settings(
        replace(CONFIG, parallelism=3, checkpoint_interval_ms=400, repeat_ttl_ms=7, bundle_size=9, bundle_time_ms=11)
    )
    assert settings["parallelism.default"] == "3"
    assert settings["execution.checkpointing.interval"] == "400 ms"
    assert settings["table.exec.state.ttl"] == "7 ms"
    assert settings["python.fn-execution.arrow.batch.size"] == "9"
    assert settings["python.fn-execution.bundle.size"] == "60000"
    assert settings["python.fn-execution.bundle.time"] == "11"


def test_a_transaction_outlives_a_checkpoint_and_a_restart() -> None:
    """Kafka would abort results that a slow checkpoint has not committed yet."""
    timeout = job_settings(CONFIG)["execution.checkpointing.timeout"]
    assert int(timeout.removesuffix(" ms")) * 2 < CONFIG.transaction_timeout_ms


def test_a_batch_that_analyses_nothing_has_no_workers_in_this_process() -> None:
    """What they need is not even imported."""
    batch = BackfillConfig("lake", "staging", datetime(2026, 1, 30, tzinfo=UTC), datetime(2026, 1, 31, tzinfo=UTC), 0)
    assert workers_here(batch) == "process"
    assert workers_here(replace(batch, selection=Selection())) == "loopback"


def test_workers_run_on_this_python() -> None:
    """The one that has the libraries."""
    settings = job_settings(CONFIG)
    assert settings["python.executable"] == settings["python.client.executable"] == sys.executable
