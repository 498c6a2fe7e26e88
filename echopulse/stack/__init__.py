"""The embedded stack: Kafka, a Flink session cluster, Valkey and S3 as real servers from packages, without Docker.

    from echopulse import settings, stack

    with stack.up(settings.load()) as running:        # or stack.up(StackSettings(home=..., kafka_port=...))
        running.addresses                             # {"kafka": "127.0.0.1:19092", "jobmanager": "http://127...", ...}
        running.check()                               # raises ServiceError naming a crashed service and its log's end
        running.service("taskmanager").kill()         # SIGKILL, as a crash
        running.restart("taskmanager")                # the same configuration again; returns when it is ready
    stack.find_java().home                            # JAVA_HOME for PyFlink's client
    stack.flink_jars(settings.load())                 # jars for `pipeline.jars`, flink-python's among them

`up(settings, on_progress)` calls `on_progress(ServiceState)` at every change, from several threads;
`with display.progress() as on_progress:` draws it on stderr. `stop(settings)` and `describe(settings)` work from the
run file, in any process (`echopulse down`, `echopulse status`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from echopulse.stack import overview, owner
from echopulse.stack.fetch import fetch
from echopulse.stack.flink_config import flink_home
from echopulse.stack.jars import FLINK_JOB, group_named
from echopulse.stack.java import find_java
from echopulse.stack.job_jar import job_jar
from echopulse.stack.service import Service, ServiceError
from echopulse.stack.settings import StackSettings, stack_settings
from echopulse.stack.spec import ServiceState
from echopulse.stack.supervisor import Stack
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from echopulse.settings import Settings

__all__ = [
    "Service",
    "ServiceError",
    "ServiceState",
    "Stack",
    "StackSettings",
    "as_started",
    "describe",
    "find_java",
    "flink_jars",
    "stack_settings",
    "stop",
    "up",
    "wait_for_end",
]


def up(settings: Settings | StackSettings, on_progress: Callable[[ServiceState], None] = lambda _: None) -> Stack:
    """Start the stack that the settings describe; see `Stack.start`."""
    return Stack.start(stack_settings(settings), on_progress)


def stop(settings: Settings | StackSettings) -> list[str]:
    """Stop the stack that the settings' home describes; see `overview.stop`."""
    return overview.stop(stack_settings(settings))


def wait_for_end(settings: Settings | StackSettings, on_wait: Callable[[str], None]) -> None:
    """Wait until the process that kept the stack of the settings' home has ended; see `owner.wait_for_end`."""
    owner.wait_for_end(stack_settings(settings), on_wait, owner.PATIENCE_S)


def as_started(settings: Settings | StackSettings) -> StackSettings:
    """Return the settings by which the stack of the settings' home was started; see `overview.as_started`."""
    return overview.as_started(stack_settings(settings))


def describe(settings: Settings | StackSettings) -> list[ServiceState]:
    """Return the state of every service; see `overview.describe`."""
    return overview.describe(stack_settings(settings))


def flink_jars(settings: Settings | StackSettings) -> list[Path]:
    """Return the jars of a job, for `pipeline.jars`: connectors, formats, Hadoop's classes, flink-python and our own.

    Downloads what the cache lacks; raises EchoPulseError where that fails.
    """
    python = sorted((flink_home() / "opt").glob("flink-python-*.jar"))
    if not python:
        raise EchoPulseError(
            f"flink: no flink-python jar in {flink_home() / 'opt'}", "reinstall apache-flink-libraries"
        )
    folder = stack_settings(settings).jars
    return [*fetch(group_named(FLINK_JOB), folder), job_jar(folder), *python]
