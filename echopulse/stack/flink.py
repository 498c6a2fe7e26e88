"""A Flink session cluster from the apache-flink wheel: one JobManager and one TaskManager."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from echopulse.stack.flink_config import flink_home, write_config
from echopulse.stack.jars import FLINK_S3
from echopulse.stack.java import find_java
from echopulse.stack.settings import HOST
from echopulse.stack.spec import Launch, Port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from echopulse.stack.settings import StackSettings

_TIMEOUT_S = 3.0
_PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class JobManager:
    """Takes jobs, plans them, keeps their checkpoints; its REST port is the cluster's address and the web page."""

    settings: StackSettings
    name: str = "jobmanager"
    jar_groups: tuple[str, ...] = (FLINK_S3,)

    @property
    def address(self) -> str:
        """The REST endpoint and web page."""
        return f"http://{HOST}:{self.settings.flink_rest_port}"

    @property
    def ports(self) -> tuple[Port, ...]:
        """REST and RPC; the port for jars is the system's choice."""
        return (
            Port(self.settings.flink_rest_port, "stack.flink_rest_port"),
            Port(self.settings.flink_rpc_port, "stack.flink_rpc_port"),
        )

    def launch(self) -> Launch:
        """Write the configuration and return the command."""
        return _launch(self.settings, self.name, "jobmanager.sh")

    def unready(self) -> str:
        """Return why the REST endpoint gives no overview yet, or ''."""
        answer = _get(f"{self.address}/overview")
        return answer if isinstance(answer, str) else ""


@dataclass(frozen=True, slots=True)
class TaskManager:
    """Runs the tasks: one slot per parallel pipeline, each with its own Python worker."""

    settings: StackSettings
    name: str = "taskmanager"
    jar_groups: tuple[str, ...] = (FLINK_S3,)
    # A TaskManager that was killed stays listed until its heartbeats are missed: each start has an id of its own.
    _starts: Iterator[int] = field(default_factory=lambda: count(1))
    _ids: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where it registers."""
        return f"{HOST}:{self.settings.flink_rpc_port}"

    @property
    def ports(self) -> tuple[Port, ...]:
        """None that anyone must know: all are the system's choice."""
        return ()

    def launch(self) -> Launch:
        """Write the configuration and return the command."""
        self._ids.append(f"taskmanager-{next(self._starts)}")
        return _launch(self.settings, self.name, "taskmanager.sh", f"-Dtaskmanager.resource-id={self._ids[-1]}")

    def unready(self) -> str:
        """Return why the JobManager does not offer this TaskManager's slots yet, or ''."""
        answer = _get(f"http://{HOST}:{self.settings.flink_rest_port}/taskmanagers")
        if isinstance(answer, str):
            return answer
        slots = {each["id"]: each["slotsNumber"] for each in answer["taskmanagers"]}
        offered = slots.get(self._ids[-1]) if self._ids else sum(slots.values())
        if offered != self.settings.parallelism:
            return f"{offered or 0} of {self.settings.parallelism} slots registered"
        return ""


def _launch(settings: StackSettings, name: str, script: str, *options: str) -> Launch:
    home = flink_home()
    folders = write_config(settings, name)
    environ = {
        "JAVA_HOME": str(find_java().home),
        "FLINK_HOME": str(home),
        "FLINK_CONF_DIR": str(folders.conf),
        "FLINK_PLUGINS_DIR": str(folders.plugins),
        "FLINK_LOG_DIR": str(settings.logs),
        "FLINK_PID_DIR": str(folders.conf),
        "MAX_LOG_FILE_NUMBER": "2",
        # Python workers inherit these from the TaskManager.
        "PYTHONPATH": str(_PROJECT),
        "PYTHON_EXECUTABLE": sys.executable,
        "NUMBA_CACHE_DIR": str(settings.cache / "numba"),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    return Launch((str(home / "bin" / script), "start-foreground", *options), environ)


def _get(url: str) -> dict[str, list[dict[str, int]]] | str:
    try:
        response = httpx.get(url, timeout=_TIMEOUT_S, trust_env=False)
        response.raise_for_status()
        return response.json()
    except (httpx.HTTPError, ValueError) as error:
        return f"{url}: {error}"
