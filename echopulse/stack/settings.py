"""What the embedded stack needs to know, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from echopulse.settings import Settings

HOST = "127.0.0.1"
#: SeaweedFS's four gRPC ports are the ones directly above `s3_filer_port`.
GRPC_PORTS = ("master", "volume", "filer", "s3")


@dataclass(frozen=True, slots=True)
class StackSettings:
    """Folders, ports and sizes of one embedded stack; two stacks differ in `home` and in every port.

    `home` holds data/, logs/, run/ and conf/; `cache` is shared by all stacks of a user (jars, numba).
    Memory is in MiB, times in seconds. `mlflow` says whether the tracking server is one of its services: `up` starts
    it, what only scores does not need it.
    """

    home: Path = Path(".echopulse")
    cache: Path = Path("~/.cache/echopulse")
    kafka_port: int = 19092
    kafka_controller_port: int = 19093
    flink_rest_port: int = 18081
    flink_rpc_port: int = 18123
    valkey_port: int = 16379
    s3_port: int = 18333
    s3_master_port: int = 18334
    s3_volume_port: int = 18335
    s3_filer_port: int = 18336
    mlflow: bool = False
    mlflow_port: int = 18500
    bucket: str = "echopulse"
    region: str = "us-east-1"
    access_key: str = "echopulse"
    secret_key: str = field(default="echopulse-embedded", repr=False)
    parallelism: int = 2
    kafka_heap_mb: int = 768
    jobmanager_memory_mb: int = 1280
    taskmanager_memory_mb: int = 5120
    start_timeout_s: float = 120.0

    def __post_init__(self) -> None:
        """Make both folders absolute, so that a child process with another working folder finds them."""
        object.__setattr__(self, "home", self.home.expanduser().absolute())
        object.__setattr__(self, "cache", self.cache.expanduser().absolute())

    @property
    def told(self) -> dict[str, int | str]:
        """What another process must know to ask the services how they are, by name: ports, slots, bucket; no secret."""
        named = ["parallelism", "bucket", *(each.name for each in fields(self) if each.name.endswith("_port"))]
        return {name: getattr(self, name) for name in named}

    def as_told(self, told: Mapping[str, Any]) -> StackSettings:
        """Return these settings with what another process told of its own."""
        return replace(self, **{name: value for name, value in told.items() if name in self.told})

    @property
    def jars(self) -> Path:
        """The folder of downloaded jars."""
        return self.cache / "jars"

    @property
    def logs(self) -> Path:
        """The folder with one log per service."""
        return self.home / "logs"

    @property
    def run(self) -> Path:
        """The folder of the run file and its lock."""
        return self.home / "run"

    @property
    def conf(self) -> Path:
        """The folder of generated configuration."""
        return self.home / "conf"

    def data(self, service: str) -> Path:
        """Return the folder of what one service keeps."""
        return self.home / "data" / service


def stack_settings(settings: Settings | StackSettings) -> StackSettings:
    """Return the embedded stack's part of the settings; the bucket is the one named in `lake.path`."""
    if isinstance(settings, StackSettings):
        return settings
    lake = urlsplit(settings.lake.path)
    ports = settings.stack
    return StackSettings(
        home=settings.home,
        cache=settings.cache,
        kafka_port=ports.kafka_port,
        kafka_controller_port=ports.kafka_controller_port,
        flink_rest_port=ports.flink_rest_port,
        flink_rpc_port=ports.flink_rpc_port,
        valkey_port=ports.valkey_port,
        s3_port=ports.s3_port,
        s3_master_port=ports.s3_master_port,
        s3_volume_port=ports.s3_volume_port,
        s3_filer_port=ports.s3_filer_port,
        mlflow_port=ports.mlflow_port,
        bucket=lake.netloc if lake.scheme == "s3" else "echopulse",
        region=settings.lake.region,
        access_key=settings.lake.access_key,
        secret_key=settings.lake.secret_key.get_secret_value(),
        parallelism=settings.flink.parallelism,
        start_timeout_s=ports.start_timeout_s,
    )
