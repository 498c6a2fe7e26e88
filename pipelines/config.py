"""What a job needs to know, as one frozen value that its callers fill from the settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from features.machinery.connection import OnlineStoreSettings

Delivery = Literal["exactly-once", "at-least-once"]


@dataclass(frozen=True)
class LakeSettings:
    """The folder or `s3://bucket/prefix` that Parquet goes to."""

    path: str

    def table(self, name: str) -> str:
        """Return the folder of one table of the lake."""
        return f"{self.path.rstrip('/')}/{name}"


@dataclass(frozen=True)
class SignalsConfig:
    """Everything the job `signals` is built from. Times are in ms; `parallelism` is the number of slots it takes."""

    kafka_bootstrap: str
    lake: LakeSettings
    online_store: OnlineStoreSettings
    strategies: Mapping[str, str]
    strategy_paths: tuple[Path, ...] = ()
    group: str = "echopulse-signals"
    #: A fresh group starts here; later starts go on from the committed offsets.
    start: Literal["earliest", "latest"] = "earliest"
    delivery: Delivery = "exactly-once"
    parallelism: int = 2
    checkpoint_interval_ms: int = 5_000
    watermark_delay_ms: int = 5_000
    idle_timeout_ms: int = 60_000
    repeat_ttl_ms: int = 600_000
    #: Rows a Python worker takes at once, and how long it waits for them: the price of latency against rows/s.
    bundle_size: int = 20_000
    bundle_time_ms: int = 100
    #: Kafka keeps an open transaction this long: longer than the longest checkpoint and a restart, or results are lost.
    transaction_timeout_ms: int = 600_000
