"""One Kafka broker in KRaft mode: broker and controller in one process, no ZooKeeper."""

from __future__ import annotations

import logging
import subprocess
import uuid
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from echopulse.stack.jars import KAFKA, group_named
from echopulse.stack.java import find_java
from echopulse.stack.settings import HOST
from echopulse.stack.spec import PATIENCE_S, Launch, Port, child_environ
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path

    from echopulse.stack.settings import StackSettings

_TIMEOUT_S = 3.0
_FORMAT_TIMEOUT_S = 60
_LARGEST_MESSAGE = 16 * 1024 * 1024
_LOG4J = """\
status = warn
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %-5p %c{1} - %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
"""


@dataclass(frozen=True, slots=True)
class Kafka:
    """The broker."""

    settings: StackSettings
    name: str = "kafka"
    jar_groups: tuple[str, ...] = (KAFKA,)
    patience_s: float = PATIENCE_S

    @property
    def address(self) -> str:
        """The bootstrap server."""
        return f"{HOST}:{self.settings.kafka_port}"

    @property
    def ports(self) -> tuple[Port, ...]:
        """The broker's and the controller's."""
        return (
            Port(self.settings.kafka_port, "stack.kafka_port"),
            Port(self.settings.kafka_controller_port, "stack.kafka_controller_port"),
        )

    def launch(self) -> Launch:
        """Write server.properties, format the storage where it is new, and return the broker's command."""
        folder = self.settings.conf / self.name
        folder.mkdir(parents=True, exist_ok=True)
        self.settings.data(self.name).mkdir(parents=True, exist_ok=True)
        properties, log4j = folder / "server.properties", folder / "log4j2.properties"
        properties.write_text("".join(f"{key}={value}\n" for key, value in self.properties().items()), "utf-8")
        log4j.write_text(_LOG4J, "utf-8")
        if not (self.settings.data(self.name) / "meta.properties").exists():
            self._format(properties, log4j)
        heap = f"-Xmx{self.settings.kafka_heap_mb}m"
        return Launch((*self._java(log4j), heap, "-XX:+UseG1GC", "kafka.Kafka", str(properties)), {})

    def unready(self) -> str:
        """Return why the broker does not list its topics yet, or ''."""
        silent = logging.getLogger("echopulse.stack.kafka.probe")
        silent.disabled = True  # a refused connection is this function's answer, not news for the log
        client = AdminClient({"bootstrap.servers": self.address, "socket.timeout.ms": 2000}, logger=silent)
        try:
            brokers = client.list_topics(timeout=_TIMEOUT_S).brokers
        except KafkaException as error:
            return f"no metadata: {error.args[0].str()}"
        return "" if brokers else "no broker in the metadata"

    def properties(self) -> dict[str, object]:
        """Return server.properties: everything replicated once, transactions up to 15 minutes, no topic by accident."""
        settings = self.settings
        return {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@{HOST}:{settings.kafka_controller_port}",
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://{HOST}:{settings.kafka_controller_port}",
            "advertised.listeners": f"PLAINTEXT://{self.address}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": settings.data(self.name),
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 8,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 8,
            "transaction.max.timeout.ms": 15 * 60 * 1000,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0,
            "message.max.bytes": _LARGEST_MESSAGE,
            "replica.fetch.max.bytes": _LARGEST_MESSAGE,
            "log.cleaner.dedupe.buffer.size": 32 * 1024 * 1024,
        }

    def _java(self, log4j: Path) -> tuple[str, ...]:
        classpath = ":".join(str(self.settings.jars / jar.filename) for jar in group_named(KAFKA).jars)
        return (
            str(find_java().executable),
            f"-Dlog4j2.configurationFile={log4j.as_uri()}",
            "-Djava.awt.headless=true",
            *("-cp", classpath),
        )

    def _format(self, properties: Path, log4j: Path) -> None:
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # A leading dash would be read as an option.
        cluster = cluster.replace("-", "_", 1) if cluster.startswith("-") else cluster
        arguments = ("kafka.tools.StorageTool", "format", "--cluster-id", cluster, "--config", str(properties))
        try:
            done = subprocess.run(
                [*self._java(log4j), "-XX:TieredStopAtLevel=1", *arguments],
                capture_output=True,
                text=True,
                timeout=_FORMAT_TIMEOUT_S,
                check=False,
                env=child_environ({}, self.settings.home),
            )
        except subprocess.TimeoutExpired as error:
            raise EchoPulseError(f"kafka: formatting its storage took over {_FORMAT_TIMEOUT_S} s") from error
        if done.returncode:
            last = (done.stderr + done.stdout).strip().splitlines()[-1:]
            raise EchoPulseError(f"kafka: its storage {self.settings.data(self.name)} cannot be formatted: {last}")
