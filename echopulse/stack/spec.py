"""What the supervisor must know of a service: how to start it, where it listens, when it is ready."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping
    from pathlib import Path

#: Every child carries it with its stack's home as value; it tells a stack's processes from all others (not
#: ECHOPULSE_*: that prefix belongs to the settings, which refuse names they do not know).
STACK_VARIABLE = "EMBEDDED_STACK_HOME"

#: How long a service may take to end after SIGTERM, seconds.
PATIENCE_S = 20.0

Phase = Literal["waiting", "fetching", "starting", "ready", "stopped", "failed"]


@dataclass(frozen=True, slots=True)
class Port:
    """A port on 127.0.0.1 that a service takes, and the setting that moves it."""

    number: int
    setting: str


@dataclass(frozen=True, slots=True)
class Launch:
    """A command line and the environment it adds to the parent's."""

    argv: tuple[str, ...]
    environ: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ServiceState:
    """One service as a person sees it: `seconds` since its start began; `tail` of its log where it failed."""

    name: str
    phase: Phase
    address: str
    log: Path
    pid: int | None = None
    detail: str = ""
    tail: tuple[str, ...] = ()
    seconds: float = 0.0


class ServiceSpec(Protocol):
    """A service of the stack. Implementations: kafka, flink (two), valkey, s3."""

    @property
    def name(self) -> str:
        """The service's name; its log is NAME.log."""

    @property
    def address(self) -> str:
        """Where a client finds it."""

    @property
    def ports(self) -> tuple[Port, ...]:
        """All ports it takes."""

    @property
    def jar_groups(self) -> tuple[str, ...]:
        """The groups of jars it cannot start without."""

    @property
    def patience_s(self) -> float:
        """How long it may take to end after SIGTERM before it is killed, seconds."""

    def launch(self) -> Launch:
        """Write configuration and prepare folders, then return the command; raises EchoPulseError."""

    def unready(self) -> str:
        """Return why the service is not ready yet, or '' once it is; each call is bounded to seconds."""


class LateSpec(ServiceSpec, Protocol):
    """A service that joins a running stack, which works without it. Implementation: mlflow."""

    @property
    def missing(self) -> str:
        """How much must be installed before it can start, for a person; '' where all of it is there."""

    def prepare(self, cancelled: threading.Event) -> None:
        """Install what it needs, which may take minutes, and give up once `cancelled`; raises EchoPulseError."""


def child_environ(added: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return the environment of a child: the parent's without what would steer Flink or S3 elsewhere, plus `added`."""
    foreign = ("FLINK_", "HADOOP_", "HBASE_", "YARN_", "AWS_", "WEED_", "JAVA_TOOL_OPTIONS", "JVM_ARGS", "PYTHONHOME")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    return {**inherited, **added, STACK_VARIABLE: str(home)}
