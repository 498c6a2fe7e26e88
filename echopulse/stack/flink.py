"""A Flink session cluster from the apache-flink wheel: one JobManager and one TaskManager."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import httpx

from echopulse.stack.flink_config import flink_home, java_options, write_config
from echopulse.stack.flink_memory import TaskManagerMemory, jobmanager_java_options
from echopulse.stack.jars import FLINK_S3
from echopulse.stack.java import find_java
from echopulse.stack.settings import HOST
from echopulse.stack.spec import PATIENCE_S, Launch, Port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from echopulse.stack.settings import StackSettings

_TIMEOUT_S = 3.0
_JOBMANAGER_CLASS = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
_TASKMANAGER_CLASS = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
_PROJECT = Path(__file__).parents[2]
#: Java's priorities that our job gives to what may wait (`pipelines/java`) are the system's: 1 to the writing of
#: snapshots, of which some fifteen threads run at once, 2 to sources. None is above the usual one, which only root
#: could grant.
_PRIORITIES = (
    "-XX:ThreadPriorityPolicy=1",
    "-XX:JavaPriority1_To_OSPriority=19",
    "-XX:JavaPriority2_To_OSPriority=10",
    *(f"-XX:JavaPriority{above}_To_OSPriority=0" for above in range(6, 11)),
)


@dataclass(frozen=True, slots=True)
class JobManager:
    """Takes jobs, plans them, keeps their checkpoints; its REST port is the cluster's address and the web page."""

    settings: StackSettings
    name: str = "jobmanager"
    jar_groups: tuple[str, ...] = (FLINK_S3,)
    patience_s: float = PATIENCE_S

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
        limits = jobmanager_java_options(self.settings.jobmanager_memory_mb)
        return _launch(self.settings, self.name, _JOBMANAGER_CLASS, limits)

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
    patience_s: float = PATIENCE_S
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
        limits = (*TaskManagerMemory(self.settings.taskmanager_memory_mb).java_options, *_PRIORITIES)
        identity = f"-Dtaskmanager.resource-id={self._ids[-1]}"
        return _launch(self.settings, self.name, _TASKMANAGER_CLASS, limits, (identity,))

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


def _launch(
    settings: StackSettings, name: str, main_class: str, limits: tuple[str, ...], options: tuple[str, ...] = ()
) -> Launch:
    # java itself rather than the wheel's shell scripts: those start four JVMs more to read the configuration.
    home = flink_home()
    folders = write_config(settings, name)
    jars = sorted((home / "lib").glob("*.jar"), key=lambda jar: (jar.name.startswith("flink-dist"), jar.name))
    argv = (
        str(find_java().executable),
        *limits,
        # Throughput: on two cores G1's concurrent threads take what the tasks need (measured: 12 s of 1 M events).
        "-XX:+UseParallelGC",
        # S3 uploads are signed over their content's SHA-256 already; MD5 beside it cost a tenth of the job's CPU.
        "-Dcom.amazonaws.services.s3.disablePutObjectMD5Validation=true",
        *java_options(),
        f"-Dlog.file={settings.logs / name}.log",
        f"-Dlog4j.configurationFile={folders.log4j.as_uri()}",
        *("-cp", ":".join(map(str, jars))),
        main_class,
        *("--configDir", str(folders.conf)),
        *options,
    )
    environ = {
        "FLINK_HOME": str(home),
        "FLINK_CONF_DIR": str(folders.conf),
        "FLINK_PLUGINS_DIR": str(folders.plugins),
        # Python workers inherit these from the TaskManager.
        "PYTHONPATH": str(_PROJECT),
        "NUMBA_CACHE_DIR": str(settings.cache / "numba"),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    return Launch(argv, environ)


def _get(url: str) -> dict[str, Any] | str:
    try:
        response = httpx.get(url, timeout=_TIMEOUT_S, trust_env=False)
        response.raise_for_status()
        return cast("dict[str, Any]", response.json())
    except (httpx.HTTPError, ValueError) as error:
        return f"{url}: {error}"
