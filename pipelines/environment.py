"""The Flink Table environment that a job is declared in, and how it reaches the cluster."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pyflink.common import Configuration
from pyflink.java_gateway import get_gateway
from pyflink.table import EnvironmentSettings, TableEnvironment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from py4j.java_gateway import JavaObject

    from pipelines.backfill import BackfillConfig
    from pipelines.config import SignalsConfig

#: A restart waits 1 s, then longer, at most 15 s; after this many in a row the job fails instead of looking hung.
MAX_RESTARTS = 40
_ARROW_ROWS = 5_000
#: Rows that an operator gives Python before it waits until all are done: of more windows that end together in a slot
#: the last are made when the first are written.
_BUNDLE_ROWS = 60_000
#: Where PyFlink runs Python functions, in its own spelling: `loopback` is in the process that declares the job.
_WORKERS = "_python_worker_execution_mode"


def job_settings(config: SignalsConfig) -> dict[str, str]:
    """Return the job's Flink settings: state, checkpoints, restarts, Python workers."""
    return {
        "pipeline.name": "signals",
        "table.local-time-zone": "UTC",
        "parallelism.default": str(config.parallelism),
        "pipeline.object-reuse": "true",
        # Windows end a little earlier than by Flink's own 200 ms.
        "pipeline.auto-watermark-interval": "50 ms",
        # Three exchanges lie between a source and the windows of windows; a watermark waits at each, by Flink's own
        # setting for up to 100 ms. At 20 ms the job took a sixth more of the processors.
        "execution.buffer-timeout.interval": "50 ms",
        # Ours (pipelines/java): what windows hold on the heap, the ids that repeats are told by in RocksDB.
        "state.backend.type": "echopulse.WindowsOnHeapFactory",
        # The repeat filter mostly asks for ids that are not there.
        "state.backend.rocksdb.use-bloom-filter": "true",
        # Its keys are written once and expire: merging levels over and over cost a tenth of the job's CPU.
        "state.backend.rocksdb.compaction.style": "UNIVERSAL",
        # A timer for each key of a window: in RocksDB each is written, sought and deleted.
        "state.backend.rocksdb.timer-service.factory": "HEAP",
        "execution.checkpointing.incremental": "true",
        "execution.checkpointing.interval": f"{config.checkpoint_interval_ms} ms",
        "execution.checkpointing.mode": "EXACTLY_ONCE" if config.delivery == "exactly-once" else "AT_LEAST_ONCE",
        "execution.checkpointing.timeout": f"{config.transaction_timeout_ms // 3} ms",
        # A whole interval: at a fixed rate that parts a minute checkpoints would begin at the same moment of every
        # minute, and where that is when windows end, their rows come half a second later (measured: 1.0, 1.5 s).
        "execution.checkpointing.min-pause": f"{config.checkpoint_interval_ms} ms",
        # A store that is away for two minutes fits into one checkpoint. A worker that hangs does not, and is restarted.
        "execution.checkpointing.tolerable-failed-checkpoints": "2",
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "restart-strategy.type": "exponential-delay",
        "restart-strategy.exponential-delay.initial-backoff": "1 s",
        "restart-strategy.exponential-delay.max-backoff": "15 s",
        "restart-strategy.exponential-delay.attempts-before-reset-backoff": str(MAX_RESTARTS),
        # Sinks that share a view share its operators: each block is planned once, before projections differ.
        "table.optimizer.reuse-optimize-block-with-digest-enabled": "true",
        "table.exec.state.ttl": f"{config.repeat_ttl_ms} ms",
        "table.exec.sink.not-null-enforcer": "ERROR",
        # A user writes a message or two in a pane: counting them before they are sent on costs more than sending them.
        "table.optimizer.agg-phase-strategy": "ONE_PHASE",
        "python.fn-execution.bundle.size": str(max(config.bundle_size, _BUNDLE_ROWS)),
        # Sent on while the rest of a bundle is still being made, so that Flink and its Python worker work side by side.
        "python.fn-execution.arrow.batch.size": str(min(config.bundle_size, _ARROW_ROWS)),
        "python.fn-execution.bundle.time": str(config.bundle_time_ms),
        "python.executable": sys.executable,
        "python.client.executable": sys.executable,
    }


def batch_settings(config: BackfillConfig) -> dict[str, str]:
    """Return the Flink settings of the job `backfill`, which ends, keeps no state and is run again where it fails."""
    return {
        "pipeline.name": "backfill",
        "table.local-time-zone": "UTC",
        "parallelism.default": str(config.parallelism),
        "execution.batch.adaptive.auto-parallelism.max-parallelism": str(config.parallelism),
        "pipeline.object-reuse": "true",
        # An object store that does not answer for a moment; more is told at once, and the day is run again.
        "restart-strategy.type": "fixed-delay",
        "restart-strategy.fixed-delay.attempts": "2",
        "restart-strategy.fixed-delay.delay": "5 s",
        "table.optimizer.reuse-optimize-block-with-digest-enabled": "true",
        "table.exec.sink.not-null-enforcer": "ERROR",
        # As in the stream: what a batch cannot aggregate by hash it sorts, and would do so before and after sending.
        "table.optimizer.agg-phase-strategy": "ONE_PHASE",
        "python.fn-execution.bundle.size": str(config.bundle_size),
        "python.fn-execution.arrow.batch.size": str(config.bundle_size),
        "python.executable": sys.executable,
        "python.client.executable": sys.executable,
    }


def environment(
    config: SignalsConfig, jars: Sequence[Path], rest: str | None = None, extra: Mapping[str, str] | None = None
) -> TableEnvironment:
    """Return a streaming Table environment; with `rest` (http://host:port) its jobs run on that cluster.

    `jars` travel with the job. `extra` overrides single Flink settings.
    """
    configuration = _configuration(job_settings(config), jars, rest, extra)
    return TableEnvironment.create(
        EnvironmentSettings.new_instance().in_streaming_mode().with_configuration(configuration).build()
    )


def batch_environment(
    config: BackfillConfig, jars: Sequence[Path], rest: str | None = None, extra: Mapping[str, str] | None = None
) -> TableEnvironment:
    """Return a Table environment for jobs that end; the arguments are as for `environment`."""
    if rest is None:
        os.environ[_WORKERS] = workers_here(config)
    configuration = _configuration(batch_settings(config), jars, rest, extra)
    return TableEnvironment.create(
        EnvironmentSettings.new_instance().in_batch_mode().with_configuration(configuration).build()
    )


def workers_here(config: BackfillConfig) -> str:
    """Return where a batch in this process runs its Python functions: in it, or, where it has none, elsewhere.

    For workers in this process PyFlink starts Beam's server of them, needed or not, and Beam warns of cloud storage
    that is not installed (`pyflink/table/table_environment.py`, `_open`).
    """
    return "process" if config.selection is None else "loopback"


def load_plugins(folder: Path, settings: Mapping[str, str]) -> None:
    """Teach this process's JVM the file systems whose plug-ins lie in `folder`, under Flink's own `settings`.

    A client lists a table's files as it plans, and PyFlink's JVM loads no plug-ins by itself.
    """
    jvm = get_gateway().jvm
    configuration = Configuration()
    for key, value in settings.items():
        configuration.set_string(key, value)
    core = jvm.org.apache.flink.core
    found = core.plugin.DirectoryBasedPluginFinder(jvm.java.nio.file.Path.of(str(folder), _no_strings()))
    parents = jvm.org.apache.flink.configuration.CoreOptions.getPluginParentFirstLoaderPatterns(
        configuration._j_configuration  # noqa: SLF001 PyFlink has no public way to the Java object
    )
    plugins = core.plugin.DefaultPluginManager(found.findPlugins(), parents)
    core.fs.FileSystem.initialize(configuration._j_configuration, plugins)  # noqa: SLF001 as above


def _no_strings() -> JavaObject:
    gateway = get_gateway()
    return gateway.new_array(gateway.jvm.java.lang.String, 0)


def _configuration(
    settings: Mapping[str, str], jars: Sequence[Path], rest: str | None, extra: Mapping[str, str] | None
) -> Configuration:
    settings = {**settings, "pipeline.jars": ";".join(jar.resolve().as_uri() for jar in jars)}
    if rest is not None:
        address = urlsplit(rest)
        # PyFlink 2.3 asks the environment's default target, which is local, and would run the workers inside this very
        # process (`pyflink/table/table_environment.py`, `_open`): the job would hang when it ends.
        os.environ[_WORKERS] = "process"
        settings |= {
            "execution.target": "remote",
            "rest.address": address.hostname or "",
            "rest.port": str(address.port or 8081),
        }
    configuration = Configuration()
    for key, value in (settings | dict(extra or {})).items():
        configuration.set_string(key, value)
    return configuration
