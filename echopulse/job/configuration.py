"""The job's configuration, filled from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from features.machinery.connection import OnlineStoreSettings
from pipelines.config import LakeSettings, SignalsConfig

if TYPE_CHECKING:
    from pathlib import Path

    from echopulse.settings import Settings

#: Feast's project, part of every key in the online store.
FEAST_PROJECT = "echopulse"


def online_store(settings: Settings) -> OnlineStoreSettings:
    """Return the online store's address and key policy."""
    return OnlineStoreSettings(
        connection=settings.online_store.connection,
        project=FEAST_PROJECT,
        key_ttl_s=settings.online_store.key_ttl_seconds,
        redis_type=settings.online_store.redis_type,
        sentinel_master=settings.online_store.sentinel_master,
        keys=settings.online_store.keys,
    )


def metrics_folder(settings: Settings) -> Path:
    """Return where workers leave what they measured, for the exporter of their host."""
    return settings.home.absolute() / "data" / "metrics"


def signals_config(settings: Settings) -> SignalsConfig:
    """Return everything the job `signals` is built from."""
    return SignalsConfig(
        kafka_bootstrap=settings.kafka.bootstrap,
        lake=LakeSettings(settings.lake.path),
        online_store=online_store(settings),
        strategies=settings.strategies,
        strategy_paths=tuple(path.resolve() for path in settings.strategy_paths),
        strategy_options=settings.strategy_options,
        shadow=settings.shadow,
        delivery=settings.flink.delivery,
        parallelism=settings.flink.parallelism,
        checkpoint_interval_ms=settings.flink.checkpoint_interval_ms,
        watermark_delay_ms=settings.job.watermark_delay_ms,
        idle_timeout_ms=settings.job.idle_timeout_ms,
        repeat_ttl_ms=settings.job.repeat_ttl_ms,
        bundle_size=settings.job.bundle_size,
        bundle_time_ms=settings.job.bundle_time_ms,
        crowd_pane_ms=settings.crowd.pane_ms if settings.crowd.enabled else 0,
        metrics_folder=str(metrics_folder(settings)),
    )
