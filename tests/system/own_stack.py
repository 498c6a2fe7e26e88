"""Settings for a stack of a test's own, and the `echopulse` command run against it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil

from echopulse.settings import Settings
from echopulse.settings_sections import EmbeddedStack, Job
from tests.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PORTS = (
    *("kafka_port", "kafka_controller_port", "flink_rest_port", "flink_rpc_port", "valkey_port", "mlflow_port"),
    *("metrics_port", "s3_port", "s3_master_port", "s3_volume_port", "s3_filer_port"),
)
#: S3's gRPC ports lie above its last one.
PORTS_ABOVE = 4
#: What a process that belongs to a home carries in its environment.
_MARKS = ("EMBEDDED_STACK_HOME", "ECHOPULSE_HOME")


def own_settings(home: Path) -> Settings:
    """Return settings with a home and ports of the test's own; the cache of jars is the user's.

    No partition is ever taken for idle: tests follow each other with pauses, and the first partition that is read
    afterwards must not make the events of the others late.
    """
    ports = dict(zip(PORTS, free_ports(len(PORTS) + PORTS_ABOVE), strict=False))
    return Settings(
        home=home, stack=EmbeddedStack(**ports, start_timeout_s=300), job=Job(idle_timeout_ms=24 * 3_600_000)
    )


def environment(settings: Settings) -> dict[str, str]:
    """Return the environment of a command that shall use these settings and no others."""
    ports = {f"ECHOPULSE_STACK__{name.upper()}": str(getattr(settings.stack, name)) for name in PORTS}
    others = {key: value for key, value in os.environ.items() if not key.startswith("ECHOPULSE_")}
    return others | ports | {"ECHOPULSE_HOME": str(settings.home), "ECHOPULSE_STACK__START_TIMEOUT_S": "300"}


def echopulse(
    settings: Settings, *arguments: str, timeout_s: float, changed: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, in the folder that holds the home, with variables of the environment `changed`."""
    return subprocess.run(
        [sys.executable, "-m", "echopulse.cli.main", *arguments],
        env=environment(settings) | dict(changed or {}),
        cwd=settings.home.parent,
        timeout=timeout_s,
        check=False,
        capture_output=True,
        text=True,
    )


def left_running(home: Path) -> list[str]:
    """Return the command lines of all processes on this machine that carry the mark of this home."""
    found = []
    for process in psutil.process_iter():
        try:
            ours = any(process.environ().get(mark) == str(home) for mark in _MARKS)
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue  # it ended while we looked, or is not ours to see
    return found
