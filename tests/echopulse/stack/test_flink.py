"""The cluster's commands."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from echopulse.stack.flink import JobManager, TaskManager

if TYPE_CHECKING:
    from echopulse.stack.settings import StackSettings


def test_java_is_started_directly(stack_settings: StackSettings) -> None:
    """The first word is java: the process that is started is the JVM, with nothing in between."""
    launch = JobManager(stack_settings).launch()
    assert Path(launch.argv[0]).name == "java"
    classpath = launch.argv[launch.argv.index("-cp") + 1].split(":")
    assert Path(classpath[-1]).name.startswith("flink-dist")
    assert launch.argv[-2:] == ("--configDir", str(stack_settings.conf / "jobmanager"))


def test_python_workers_find_the_project(stack_settings: StackSettings) -> None:
    """Workers inherit the folder of the packages, and a place where numba keeps what it compiled."""
    environ = TaskManager(stack_settings).launch().environ
    assert (Path(environ["PYTHONPATH"]) / "echopulse" / "stack" / "flink.py").is_file()
    assert environ["NUMBA_CACHE_DIR"] == str(stack_settings.cache / "numba")
    assert sys.executable in (stack_settings.conf / "taskmanager" / "config.yaml").read_text()


def test_each_start_has_an_identity_of_its_own(stack_settings: StackSettings) -> None:
    """A restarted TaskManager is not taken for the one that was killed."""
    taskmanager = TaskManager(stack_settings)
    identities = [taskmanager.launch().argv[-1] for _ in range(2)]
    assert identities == ["-Dtaskmanager.resource-id=taskmanager-1", "-Dtaskmanager.resource-id=taskmanager-2"]


def test_what_may_wait_has_a_lower_priority_in_the_taskmanager(stack_settings: StackSettings) -> None:
    """Both levels that our job's classes give are below the usual one; Java ignores them without the policy."""
    argv = TaskManager(stack_settings).launch().argv
    levels = {
        int(level): int(nice) for level, nice in re.findall(r"JavaPriority(\d+)_To_OSPriority=(\d+)", " ".join(argv))
    }
    assert "-XX:ThreadPriorityPolicy=1" in argv
    assert levels[1] > levels[2] > 0
    assert {levels[above] for above in range(6, 11)} == {0}


def test_no_cluster_is_not_ready(stack_settings: StackSettings) -> None:
    """Both health checks answer with a reason."""
    unused = type(stack_settings)(home=stack_settings.home, flink_rest_port=1)
    assert JobManager(unused).unready().startswith("http://127.0.0.1:1/overview: ")
    assert TaskManager(unused).unready().startswith("http://127.0.0.1:1/taskmanagers: ")
