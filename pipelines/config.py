"""What a job needs to know, as one frozen value that its callers fill from the settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from transforms.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
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
    #: Options of a kind's strategies, or of one under `kind/name`; strategies that score in shadow, by kind.
    strategy_options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    shadow: Mapping[str, Sequence[str]] = field(default_factory=dict)
    group: str = "echopulse-signals"
    #: A fresh group starts here; later starts go on from the committed offsets.
    start: Literal["earliest", "latest"] = "earliest"
    delivery: Delivery = "exactly-once"
    parallelism: int = 2
    #: From the end of one to the next.
    checkpoint_interval_ms: int = 5_000
    watermark_delay_ms: int = 5_000
    idle_timeout_ms: int = 60_000
    repeat_ttl_ms: int = 600_000
    #: Rows a Python worker takes at once, and how long it waits for them: the price of latency against rows/s.
    bundle_size: int = 20_000
    bundle_time_ms: int = 100
    #: The step in which trends and health move on; 0 leaves them and conversations out.
    crowd_pane_ms: int = 10_000
    #: Kafka keeps an open transaction this long: longer than the longest checkpoint and a restart, or results are lost.
    transaction_timeout_ms: int = 600_000
    #: Where workers leave what they measured, a folder on their own host; '' measures nothing.
    metrics_folder: str = ""

    @property
    def has_shadow(self) -> bool:
        """Whether any strategy scores in shadow: without one the job has neither the column nor the sink."""
        return any(self.shadow.values())

    @property
    def selection(self) -> Selection:
        """The strategies that score, as the analysis pass takes them."""
        return Selection(
            strategies=self.strategies,
            paths=self.strategy_paths,
            options=self.strategy_options,
            shadow=self.shadow,
        )
