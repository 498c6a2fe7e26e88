"""Become one part of the Flink cluster, in the foreground: `flink_service.py jobmanager|taskmanager`.

What `echopulse up` supervises as child processes, a container runs as its one process, from the same settings.
"""

from __future__ import annotations

import os
import sys

from echopulse.settings import load
from echopulse.stack import stack_settings
from echopulse.stack.fetch import fetch
from echopulse.stack.flink import JobManager, TaskManager
from echopulse.stack.jars import group_named
from echopulse.stack.spec import child_environ
from schemas.errors import EchoPulseError, did_you_mean

SERVICES = {"jobmanager": JobManager, "taskmanager": TaskManager}


def start(name: str) -> None:
    """Fetch the service's jars, write its configuration and replace this process by it. Raises EchoPulseError."""
    if name not in SERVICES:
        raise EchoPulseError(f"unknown service '{name}'", did_you_mean(name, SERVICES))
    settings = stack_settings(load())
    service = SERVICES[name](settings)
    for group in service.jar_groups:
        fetch(group_named(group), settings.jars)
    launch = service.launch()
    os.execve(launch.argv[0], launch.argv, child_environ(launch.environ, settings.home))  # noqa: S606 no shell is meant


if __name__ == "__main__":
    try:
        start(sys.argv[1] if sys.argv[1:] else "")
    except EchoPulseError as error:
        sys.exit(f"flink_service: {error}")
