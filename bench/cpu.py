"""CPU seconds by process: the services of a stack, the Python workers under Flink, and this process."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping

    from echopulse.stack import Stack

PRODUCER = "producer and waiting"
WORKERS = "python workers"
_WORKERS_OF = "taskmanager"


def cpu_seconds(stack: Stack) -> dict[str, float]:
    """Return user and system seconds since each process began, by name; descendants of the TaskManager are workers."""
    spent = {PRODUCER: _of(psutil.Process())}
    for name, service in stack.services.items():
        if service.pid is None:
            continue
        process = psutil.Process(service.pid)
        spent[name] = _of(process)
        if name == _WORKERS_OF:
            spent[WORKERS] = sum(_of(child) for child in process.children(recursive=True))
    return spent


def difference(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return what was spent between two readings, the most first."""
    spent = {name: after[name] - before.get(name, 0.0) for name in after}
    return dict(sorted(spent.items(), key=lambda item: -item[1]))


def _of(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0
