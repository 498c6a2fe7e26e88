"""The embedded stack with its real servers: start, use, crash, restart, a taken port, a second stack, down."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import httpx
import psutil
import pyarrow.dataset
import pyarrow.fs
import pytest
import redis
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from echopulse import stack
from echopulse.stack import ServiceError, ServiceState, Stack, StackSettings
from schemas.errors import EchoPulseError
from schemas.topics import TOPICS
from tests.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

PORTS = (
    *("kafka_port", "kafka_controller_port", "flink_rest_port", "flink_rpc_port", "valkey_port"),
    *("s3_port", "s3_master_port", "s3_volume_port", "s3_filer_port"),
)
#: Reads raw bytes from Kafka, passes them through a Python worker and writes Parquet to S3.
JOB = Path(__file__).with_name("stack_job.py")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> StackSettings:
    """Return settings with ports and a home of the test's own; the cache of jars is the user's."""
    home = tmp_path_factory.mktemp("home")
    # S3's four gRPC ports lie above the last one.
    ports: dict[str, Any] = dict(zip(PORTS, free_ports(len(PORTS) + 4), strict=False))
    return StackSettings(home=home, start_timeout_s=300, **ports)


@pytest.fixture(scope="module")
def running(settings: StackSettings) -> Iterator[Stack]:
    """Start one stack for all tests of this module, and see that its end leaves nothing."""
    states: list[ServiceState] = []
    with stack.up(settings, states.append) as started:
        assert {state.name for state in states if state.phase == "ready"} >= set(started.services)
        yield started
    assert processes_of(settings) == []


def processes_of(settings: StackSettings) -> list[psutil.Process]:
    """Return every process on this machine that carries the mark of this home."""
    found = []
    for process in psutil.process_iter():
        try:
            ours = process.environ().get("EMBEDDED_STACK_HOME") == str(settings.home)
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue  # it ended while we looked, or is not ours to see
    return found


def wait_for(condition: Callable[[], bool], timeout_s: float = 120) -> None:
    """Poll until the condition holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition never held"
        time.sleep(0.2)


def make_topic(running: Stack, topic: str) -> None:
    """Create a topic with two partitions."""
    admin = AdminClient({"bootstrap.servers": running.addresses["kafka"]})
    admin.create_topics([NewTopic(topic, 2, 1)])[topic].result(30)


def produce(running: Stack, topic: str, count: int) -> None:
    """Produce `count` messages with the guarantees of the gateway."""
    producer = Producer({"bootstrap.servers": running.addresses["kafka"], "enable.idempotence": True})
    for number in range(count):
        producer.produce(topic, f"message {number}".encode())
    assert producer.flush(60) == 0


def consume(running: Stack, topic: str, count: int) -> list[bytes]:
    """Return the topic's messages from the beginning, once `count` have come."""
    group = {"group.id": uuid.uuid4().hex, "auto.offset.reset": "earliest"}
    consumer = Consumer({"bootstrap.servers": running.addresses["kafka"], **group})
    consumer.subscribe([topic])
    values: list[bytes] = []
    deadline = time.monotonic() + 60
    while len(values) < count and time.monotonic() < deadline:
        values += [value for message in consumer.consume(count, 1.0) if (value := message.value()) is not None]
    consumer.close()
    return values


def test_every_server_answers(running: Stack, settings: StackSettings) -> None:
    """Kafka keeps messages, Flink offers its slots, Valkey answers, the bucket is there."""
    make_topic(running, "hello")
    produce(running, "hello", 100)
    assert len(consume(running, "hello", 100)) == 100
    overview = httpx.get(f"{running.addresses['jobmanager']}/overview", timeout=10, trust_env=False).json()
    assert (overview["taskmanagers"], overview["slots-total"]) == (1, settings.parallelism)
    host, port = running.addresses["valkey"].split(":")
    with redis.Redis(host, int(port)) as client:
        assert client.ping()
    assert {state.name: state.phase for state in stack.describe(settings)} == dict.fromkeys(running.services, "ready")


def test_a_python_job_writes_parquet_to_s3(running: Stack, settings: StackSettings) -> None:
    """A job on the cluster reads Kafka, runs in a Python worker that can import the project, and writes the lake."""
    make_topic(running, "input")
    produce(running, "input", 1_000)
    parts = [str(path) for path in stack.flink_jars(settings)]
    arguments = [running.addresses["kafka"], str(settings.flink_rest_port), "s3://echopulse/job", *parts]
    environ = {**os.environ, "JAVA_HOME": str(stack.find_java().home), "PYTHONPATH": str(JOB.parents[2])}
    done = subprocess.run(
        [sys.executable, str(JOB), *arguments], env=environ, timeout=400, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    s3 = pyarrow.fs.S3FileSystem(
        access_key=settings.access_key,
        secret_key=settings.secret_key,
        region=settings.region,
        endpoint_override=running.addresses["s3"],
    )
    values = pyarrow.dataset.dataset(f"{settings.bucket}/job", filesystem=s3, format="parquet").to_table()["v"]
    assert sorted(values.to_pylist()) == sorted(f"message {number} of {len(TOPICS)}" for number in range(1_000))


def test_a_killed_taskmanager_is_named_and_comes_back(running: Stack, settings: StackSettings) -> None:
    """After SIGKILL `check` tells it with its log; restarted, the cluster offers its slots again."""
    running.service("taskmanager").kill()
    with pytest.raises(ServiceError, match=r"taskmanager: was killed by SIGKILL; its log is .*taskmanager\.log"):
        running.check()
    assert {state.name for state in stack.describe(settings) if state.phase == "failed"} == {"taskmanager"}
    running.restart("taskmanager")
    running.check()

    def only_the_new_one() -> bool:
        url = f"{running.addresses['jobmanager']}/taskmanagers"
        found = httpx.get(url, timeout=10, trust_env=False).json()["taskmanagers"]
        return [each["id"] for each in found] == ["taskmanager-2"]

    wait_for(only_the_new_one)


def test_a_killed_broker_keeps_what_it_acknowledged(running: Stack) -> None:
    """Messages that were acknowledged before SIGKILL are there after the restart."""
    make_topic(running, "kept")
    produce(running, "kept", 1_000)
    running.service("kafka").kill()
    running.restart("kafka")
    assert len(consume(running, "kept", 1_000)) == 1_000


def test_a_killed_s3_server_keeps_what_it_acknowledged(running: Stack, settings: StackSettings) -> None:
    """Objects that were acknowledged before SIGKILL are there after the restart: it is stopped this way too."""
    client = boto3.client(
        "s3",
        endpoint_url=running.addresses["s3"],
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=settings.secret_key,
        region_name=settings.region,
    )
    for number in range(50):
        client.put_object(Bucket=settings.bucket, Key=f"kept/{number}", Body=b"%d" % number * 1000)
    running.service("s3").kill()
    running.restart("s3")
    bodies = [client.get_object(Bucket=settings.bucket, Key=f"kept/{n}")["Body"].read() for n in range(50)]
    client.close()
    assert bodies == [b"%d" % number * 1000 for number in range(50)]


def test_a_second_stack_of_this_home_is_refused(running: Stack, settings: StackSettings) -> None:
    """The processes are named, and how to stop them; nothing of the first one changes."""
    with pytest.raises(EchoPulseError, match=rf"running already: kafka \(pid {running.service('kafka').pid}\)"):
        stack.up(settings)
    running.check()


def test_a_taken_port_is_named_before_anything_starts(running: Stack, settings: StackSettings, tmp_path: Path) -> None:
    """Another home on the same ports: service, port, setting and holder in one line, no process."""
    other = replace(settings, home=tmp_path / "other")
    expected = rf"kafka: port {settings.kafka_port} is taken by java \(pid {running.service('kafka').pid}\)"
    with pytest.raises(EchoPulseError, match=expected):
        stack.up(other)
    assert processes_of(other) == []


def test_down_from_another_process(running: Stack, settings: StackSettings) -> None:
    """It ends every process, tells the one that started them, and the stack starts again on its data (last test)."""
    environ = {
        **{key: value for key, value in os.environ.items() if not key.startswith("ECHOPULSE_")},
        **{f"ECHOPULSE_STACK__{name.upper()}": str(getattr(settings, name)) for name in PORTS},
        "ECHOPULSE_HOME": str(settings.home),
    }
    command = [sys.executable, "-m", "echopulse.cli.main", "down", "--json"]
    done = subprocess.run(
        command, env=environ, cwd=JOB.parents[2], timeout=120, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == '{"stopped":["kafka","jobmanager","taskmanager","valkey","s3"]}\n'
    assert processes_of(settings) == []
    with pytest.raises(EchoPulseError, match="stopped by `echopulse down`"):
        running.check()
    with stack.up(settings) as again:
        assert len(consume(again, "hello", 100)) == 100
