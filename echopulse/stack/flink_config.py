"""The Flink cluster's configuration folder and plug-in folder, generated from the settings."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from echopulse.stack.flink_memory import TaskManagerMemory
from echopulse.stack.jars import FLINK_S3, group_named
from echopulse.stack.settings import HOST
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from echopulse.stack.settings import StackSettings

_LOG4J = """\
rootLogger.level = INFO
rootLogger.appenderRef.console.ref = console
appender.console.name = console
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %c{1} %x - %m%n
logger.netty.name = org.jboss.netty.channel.DefaultChannelPipeline
logger.netty.level = OFF
"""


@dataclass(frozen=True, slots=True)
class FlinkFolders:
    """The generated folders, and the logging configuration."""

    conf: Path
    plugins: Path
    log4j: Path


def flink_home() -> Path:
    """Return the Flink distribution inside the wheel, without importing PyFlink."""
    spec = find_spec("pyflink")
    if spec is None or not spec.submodule_search_locations:
        raise EchoPulseError("flink: the apache-flink package is not installed", "run `make bootstrap`")
    return Path(spec.submodule_search_locations[0])


def write_config(settings: StackSettings, service: str) -> FlinkFolders:
    """Write conf/SERVICE/config.yaml and link the plug-ins."""
    conf = settings.conf / service
    folders = FlinkFolders(conf, conf / "plugins", conf / "log4j.properties")
    folders.conf.mkdir(parents=True, exist_ok=True)
    (settings.data("flink") / "tmp").mkdir(parents=True, exist_ok=True)  # Flink does not make its own
    folders.log4j.write_text(_LOG4J, "utf-8")
    config = folders.conf / "config.yaml"
    config.touch(mode=0o600)  # it holds the S3 key
    config.write_text(yaml.safe_dump(flink_config(settings), width=2**16), "utf-8")
    prometheus = flink_home() / "plugins" / "metrics-prometheus"
    _link("metrics-prometheus", sorted(prometheus.glob("*.jar")), folders.plugins)
    link_s3(settings, folders.plugins)
    return folders


def flink_config(settings: StackSettings) -> dict[str, object]:
    """Return config.yaml as one flat mapping of Flink's own keys."""
    data = settings.data("flink")
    return {
        "jobmanager.rpc.address": HOST,
        "jobmanager.rpc.port": settings.flink_rpc_port,
        "jobmanager.bind-host": HOST,
        "jobmanager.memory.process.size": f"{settings.jobmanager_memory_mb}m",
        "jobmanager.execution.failover-strategy": "region",
        "rest.address": HOST,
        "rest.bind-address": HOST,
        "rest.port": settings.flink_rest_port,
        "web.tmpdir": str(data / "tmp"),
        "web.submit.enable": True,
        "taskmanager.host": HOST,
        "taskmanager.bind-host": HOST,
        "taskmanager.numberOfTaskSlots": settings.parallelism,
        "taskmanager.cpu.cores": float(settings.parallelism),
        **TaskManagerMemory(settings.taskmanager_memory_mb).config,
        "parallelism.default": settings.parallelism,
        "python.executable": sys.executable,
        "python.client.executable": sys.executable,
        # Both start side by side: a TaskManager that finds no JobManager yet would wait ten seconds.
        "cluster.registration.error-delay": "500 ms",
        # Watermarks are read by REST; ten seconds old, each end of a replay would be seen up to ten seconds late.
        "metrics.fetcher.update-interval": "1 s",
        # Two missed answers two seconds apart: a killed TaskManager is known within about five seconds.
        "heartbeat.interval": "2 s",
        "heartbeat.rpc-failure-threshold": 2,
        "heartbeat.timeout": "30 s",
        "state.backend.type": "rocksdb",
        "execution.checkpointing.incremental": True,
        "execution.checkpointing.dir": (data / "checkpoints").as_uri(),
        "execution.checkpointing.savepoint-dir": (data / "savepoints").as_uri(),
        "io.tmp.dirs": str(data / "tmp"),
        # Bounded, and patient enough for a broker or store that is away for two minutes.
        "restart-strategy.type": "exponential-delay",
        "restart-strategy.exponential-delay.initial-backoff": "1 s",
        "restart-strategy.exponential-delay.max-backoff": "10 s",
        "restart-strategy.exponential-delay.backoff-multiplier": 2.0,
        "restart-strategy.exponential-delay.reset-backoff-threshold": "2 min",
        "restart-strategy.exponential-delay.attempts-before-reset-backoff": 30,
        **s3_config(f"http://{HOST}:{settings.s3_port}", settings.access_key, settings.secret_key, settings.region),
    }


def s3_config(endpoint: str, access_key: str, secret_key: str, region: str) -> dict[str, object]:
    """Return Flink's own keys for an S3 server."""
    return {
        **({"s3.endpoint": endpoint} if endpoint else {}),
        "s3.path.style.access": True,
        "s3.path-style-access": True,
        "s3.access-key": access_key,
        "s3.secret-key": secret_key,
        "s3.region": region,
        # Or each file that is closed asks the server to delete what may mark its parents as folders, one and all.
        "s3.directory.marker.retention": "keep",
    }


def link_s3(settings: StackSettings, plugins: Path) -> None:
    """Link the plug-in for `s3://`, whose jars lie in the cache, into a folder of plug-ins."""
    _link("s3-fs-hadoop", [settings.jars / jar.filename for jar in group_named(FLINK_S3).jars], plugins)


def java_options() -> list[str]:
    """Return the wheel's own JVM options; raises EchoPulseError where its config has none."""
    # They open the modules that Arrow and the class loaders need.
    path = flink_home() / "conf" / "config.yaml"
    try:
        return shlex.split(yaml.safe_load(path.read_text("utf-8"))["env"]["java"]["opts"]["all"])
    except (OSError, KeyError, TypeError, yaml.YAMLError) as error:
        raise EchoPulseError(f"flink: {path} has no env.java.opts.all", "reinstall apache-flink-libraries") from error


def _link(plugin: str, jars: list[Path], plugins: Path) -> None:
    folder = plugins / plugin
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.iterdir():
        stale.unlink()
    for jar in jars:
        (folder / jar.name).symlink_to(jar)
