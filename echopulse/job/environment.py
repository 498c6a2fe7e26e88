"""The settings as environment variables, for processes and libraries that read nothing else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from echopulse.settings import Settings


def repository_variables(settings: Settings) -> dict[str, str]:
    """Return what declarations and stores read: addresses, the watermark's delay, and where keys are, not the keys."""
    store = settings.online_store
    return {
        "ECHOPULSE_ONLINE_STORE__CONNECTION": store.connection,
        "ECHOPULSE_ONLINE_STORE__REDIS_TYPE": store.redis_type,
        "ECHOPULSE_ONLINE_STORE__SENTINEL_MASTER": store.sentinel_master,
        "ECHOPULSE_ONLINE_STORE__KEYS": store.keys,
        "ECHOPULSE_KAFKA__BOOTSTRAP": settings.kafka.bootstrap,
        "ECHOPULSE_LAKE__PATH": settings.lake.path,
        "ECHOPULSE_LAKE__ENDPOINT": settings.lake.endpoint,
        "ECHOPULSE_JOB__WATERMARK_DELAY_MS": str(settings.job.watermark_delay_ms),
    }


def feast_variables(settings: Settings) -> dict[str, str]:
    """Return what the Feast repository reads: the addresses of Kafka, the online store and the lake, and S3's keys."""
    return repository_variables(settings) | {
        "AWS_ACCESS_KEY_ID": settings.lake.access_key,
        "AWS_SECRET_ACCESS_KEY": settings.lake.secret_key.get_secret_value(),
        "AWS_REGION": settings.lake.region,
    }


def feast_environment(settings: Settings) -> dict[str, str]:
    """Return this process's environment with the settings' addresses and home, for a child process."""
    return os.environ | feast_variables(settings) | {"ECHOPULSE_HOME": str(settings.home.absolute())}
