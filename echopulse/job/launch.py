"""The whole pipeline brought up: embedded stack, topics, Feast registry and the job, side by side where they can be."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

from echopulse import stack
from echopulse.gateway.topics_admin import ensure_topics
from echopulse.job.backlog import pass_over
from echopulse.job.check_watch import consistency_watched
from echopulse.job.cluster import FlinkCluster
from echopulse.job.configuration import signals_config
from echopulse.job.environment import feast_environment
from echopulse.job.exporter import clear_metrics, metrics_served, show_services
from echopulse.job.submit import FEATURES, declare, execute
from echopulse.stack import owner
from echopulse.stack.preflight import refuse_second
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyflink.table import StatementSet

    from echopulse.settings import Settings
    from echopulse.stack import ServiceState, Stack

T = TypeVar("T")

_RUNNING_S = 240.0
_APPLY_S = 180.0


@dataclass(frozen=True)
class Pipeline:
    """A running pipeline: its stack, cluster and job, and how many seconds it took to come up."""

    stack: Stack
    cluster: FlinkCluster
    job_id: str
    start_seconds: float

    def check(self) -> None:
        """Raise EchoPulseError naming a crashed service, or the job where it has ended."""
        self.stack.check()
        state = self.cluster.state(self.job_id)
        if state in {"FAILED", "CANCELED", "FINISHED"}:
            raise EchoPulseError(
                f"job signals is {state}: {self.cluster.failure(self.job_id)}", f"see {self.cluster.rest}"
            )


@contextmanager
def pipeline(
    settings: Settings,
    on_service: Callable[[ServiceState], None],
    on_step: Callable[[str], None],
    *,
    skip_backlog: bool = False,
    tracking: bool = False,
) -> Iterator[Pipeline]:
    """Bring everything up and yield it running; what was started is stopped at the end, and nothing else.

    With `skip_backlog` the job begins where `social.events` ends now: a replay must not meet what an earlier job left
    unread; a step says how much that is. With `tracking` MLflow joins once the job runs, however long its installation
    takes. The Feast registry is applied and the job planned (a JVM of its own, seconds of CPU) while the servers start.
    Raises EchoPulseError naming the service, the view or the job that stands in the way.
    """
    started = time.monotonic()
    services = replace(stack.stack_settings(settings), mlflow=tracking)
    # Before the port of metrics, which is the other stack's too.
    refuse_second(services.run)
    with metrics_served(settings) as registry, _applying(settings) as apply, stack.up(services, on_service) as running:
        owner.note(services)
        clear_metrics(settings)
        planned = _InBackground(lambda: _plan(settings, apply))
        ensure_topics(settings.kafka.bootstrap, replication=settings.kafka.replication)
        if skip_backlog and (passed := pass_over(settings.kafka.bootstrap, signals_config(settings).group)):
            on_step(passed)
        on_step("topics are there; planning the job signals")
        statements = planned.result()
        with FlinkCluster(settings.flink.rest) as cluster:
            job_id = execute(statements)
            on_step(f"job {job_id} is submitted; its Python workers start")
            cluster.wait_running(job_id, _RUNNING_S)
            seconds = time.monotonic() - started
            on_step(f"the job runs, {seconds:.0f} s after the start")
            running.join()
            show_services(registry, running.services)
            with consistency_watched(settings, registry):
                yield Pipeline(running, cluster, job_id, seconds)


def _plan(settings: Settings, apply: subprocess.Popen[str]) -> StatementSet:
    import pyflink.table  # noqa: F401 - seconds of CPU that need not wait for the registry

    _wait_applied(apply)
    return declare(settings, remote=True)


@contextmanager
def _applying(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """Apply the Feast repository in a process of its own: importing Feast costs seconds and changes the folder."""
    command = [sys.executable, "-m", "echopulse.cli.main", "feature", "apply", "--json", "--repo", str(FEATURES)]
    with subprocess.Popen(
        command, env=feast_environment(settings), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def _wait_applied(process: subprocess.Popen[str]) -> None:
    try:
        _, printed = process.communicate(timeout=_APPLY_S)
    except subprocess.TimeoutExpired as error:
        raise EchoPulseError(f"applying {FEATURES.name}/ took longer than {_APPLY_S:.0f} s") from error
    if process.returncode:
        lines = printed.strip().splitlines()
        reason = lines[-1].removeprefix("echopulse: ") if lines else f"it ended with status {process.returncode}"
        raise EchoPulseError(f"the feature views were not applied: {reason}")


class _InBackground(threading.Thread, Generic[T]):
    """A call on a thread that does not keep the process alive when something else fails first."""

    def __init__(self, call: Callable[[], T]) -> None:
        super().__init__(daemon=True)
        self._call = call
        self._future: Future[T] = Future()
        self.start()

    def run(self) -> None:
        """Make the call and keep what came of it."""
        try:
            self._future.set_result(self._call())
        except BaseException as error:  # noqa: BLE001 - raised again, in the thread that asks for the result
            self._future.set_exception(error)

    def result(self) -> T:
        """Wait for the call and return its result, or raise what it raised."""
        return self._future.result()
