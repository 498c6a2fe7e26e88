"""Where a backfill's batches run: on the settings' cluster, or on a Flink of this process's own."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any

from echopulse.job.beam_options import beam_imported
from echopulse.job.cluster import FlinkCluster
from echopulse.job.submit import innermost
from features.lake.location import SCHEME
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from echopulse.settings import Settings
    from features.machinery.view_spec import CompiledView
    from pipelines.backfill import BackfillConfig

_STDOUT = 1
#: Where PyFlink looks for options of its JVM (`pyflink_gateway_server.py`); no other process of ours is to have them.
_OPTIONS = "JVM_ARGS"
_POLL_S = 0.5
_CANCEL_S = 60
#: Of a JVM that computes too. A batch generates its classes and is over in a minute or two: compiled to the utmost as
#: early as a service is, they took a fifth of its processor time. Pauses of the collector harm nobody. Measured on two
#: cores, a million events: 60 s; 67 without the thresholds, ten times Java's own, 63 with Java's own collector.
_COMPUTES = (
    "-XX:+UseParallelGC -XX:Tier4InvocationThreshold=50000 -XX:Tier4MinInvocationThreshold=6000 "
    "-XX:Tier4CompileThreshold=150000 -XX:Tier4BackEdgeThreshold=400000"
)
#: A batch over a day that takes longer has hung.
_LIMIT_S = 6 * 3_600


class BatchFlink:
    """Runs batches; made once a process, because the JVM that plans them is."""

    def __init__(self, settings: Settings, *, here: bool) -> None:
        """Find Java, jars and a free slot. Raises EchoPulseError where the cluster is away or has none."""
        from echopulse.stack import flink_jars

        self._settings, self._here = settings, here
        self.parallelism = settings.flink.parallelism if here else min(settings.flink.parallelism, _free(settings))
        self._jars = flink_jars(settings)
        start_jvm(_COMPUTES if here else "")
        self._s3: dict[str, str] = {}

    def run(
        self, config: BackfillConfig, views: Sequence[CompiledView], what: str, meanwhile: Callable[[], None]
    ) -> None:
        """Run a batch to its end, calling `meanwhile` every half second; if that raises, the batch is cancelled.

        Raises EchoPulseError with Flink's own reason where it fails, and where it takes hours.
        """
        from py4j.protocol import Py4JJavaError
        from pyflink.util.exceptions import JavaException

        try:
            self._run(config, views, what, meanwhile)
        except (Py4JJavaError, JavaException) as error:
            raise EchoPulseError(f"the batch over {what} failed: {innermost(str(error))}") from error

    def _run(
        self, config: BackfillConfig, views: Sequence[CompiledView], what: str, meanwhile: Callable[[], None]
    ) -> None:
        from pipelines.backfill import declare
        from pipelines.environment import batch_environment

        if any(path.startswith(SCHEME) for path in (config.events, config.staging)):
            self._load_s3()
        rest = None if self._here else self._settings.flink.rest
        if self._here and config.selection is not None:
            beam_imported()  # its workers are in this process
        client: Any = declare(batch_environment(config, self._jars, rest, self._s3), config, views).execute()
        client = client.get_job_client()
        if client is None:
            raise EchoPulseError(f"Flink took the batch over {what} and gave no id for it")
        result, deadline = client.get_job_execution_result(), time.monotonic() + _LIMIT_S
        try:
            while not result.done() and time.monotonic() < deadline:
                meanwhile()
                time.sleep(_POLL_S)
        except BaseException:
            _cancel(client, result)
            raise
        if not result.done():
            _cancel(client, result)
            raise EchoPulseError(
                f"the batch over {what} took longer than {_LIMIT_S // 3_600} h", f"see {rest}" if rest else ""
            )
        result.result()

    def _load_s3(self) -> None:
        """Have the JVM of this process read `s3://`, once."""
        if self._s3:
            return
        from echopulse.stack import stack_settings
        from echopulse.stack.fetch import fetch
        from echopulse.stack.flink_config import link_s3, s3_config
        from echopulse.stack.jars import FLINK_S3, group_named
        from pipelines.environment import load_plugins

        stack, lake = stack_settings(self._settings), self._settings.lake
        fetch(group_named(FLINK_S3), stack.jars)
        plugins: Path = stack.conf / "backfill" / "plugins"
        link_s3(stack, plugins)
        config = s3_config(lake.endpoint, lake.access_key, lake.secret_key.get_secret_value(), lake.region)
        self._s3 = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in config.items()}
        load_plugins(plugins, self._s3)


def start_jvm(options: str = "") -> None:
    """Start PyFlink's JVM with nowhere to print to: Hadoop's readers would write among a command's JSON document.

    Its `options` are those of the variable JVM_ARGS, where that says something.
    """
    from pyflink.java_gateway import get_gateway

    from echopulse.job.planner_jvm import prepare_jvm

    prepare_jvm()
    sys.stdout.flush()
    stdout, nowhere = os.dup(_STDOUT), os.open(os.devnull, os.O_WRONLY)
    given = os.environ.get(_OPTIONS)
    os.environ[_OPTIONS] = given or options
    try:
        os.dup2(nowhere, _STDOUT)
        get_gateway()
    finally:
        os.environ.pop(_OPTIONS)
        if given is not None:
            os.environ[_OPTIONS] = given
        os.dup2(stdout, _STDOUT)
        os.close(stdout)
        os.close(nowhere)


def _free(settings: Settings) -> int:
    with FlinkCluster(settings.flink.rest) as cluster:
        try:
            free = cluster.free_slots()
        except EchoPulseError as error:
            raise EchoPulseError(
                error.message, "--here runs the backfill in this process, without a cluster"
            ) from error
    if not free:
        raise EchoPulseError(
            f"the Flink cluster at {settings.flink.rest} has no free slot",
            "--here runs the backfill in this process, beside it",
        )
    return free


def _cancel(client: Any, result: Any) -> None:  # noqa: ANN401 PyFlink ships no types
    client.cancel()
    deadline = time.monotonic() + _CANCEL_S
    while not result.done() and time.monotonic() < deadline:
        time.sleep(_POLL_S)
