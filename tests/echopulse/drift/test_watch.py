"""The watcher on a real broker: told, counted once, and going on where it stopped."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from confluent_kafka import Producer
from prometheus_client import CollectorRegistry

from echopulse.drift.alerts import DriftMetrics, DriftTopic, record
from echopulse.drift.watch import Watch
from echopulse.gateway.topics_admin import ensure_topics
from echopulse.job.topic_reader import Position, end_position, read_batches
from echopulse.settings import Settings
from echopulse.settings_sections import EmbeddedStack
from echopulse.stack import Stack, stack_settings
from echopulse.stack.kafka import Kafka
from schemas.avro_columns import encode_analysis
from schemas.codec import encode_events
from schemas.topics import ANALYSIS, EVENTS, MODEL_DRIFT
from tests.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from echopulse.drift.watcher import Watcher
    from transforms.drift_monitor import Drift

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


@pytest.fixture
def bootstrap(tmp_path: Path) -> Iterator[str]:
    """Start a broker with the project's topics and no other service."""
    ports = free_ports(2)
    own = EmbeddedStack(kafka_port=ports[0], kafka_controller_port=ports[1], start_timeout_s=200)
    services = stack_settings(Settings(home=tmp_path / "home", stack=own))
    with Stack(services, lambda _: None, [Kafka(services)]).bring_up() as running:
        ensure_topics(running.addresses["kafka"])
        yield running.addresses["kafka"]


def test_drift_is_told_once_and_the_watch_goes_on(
    bootstrap: str,
    tmp_path: Path,
    make_watcher: Callable[[], Watcher],
    results: Callable[..., pa.RecordBatch],
    texts: Callable[..., pa.RecordBatch],
) -> None:
    """What came while it was away is read afterwards; heartbeats are no events; nothing is counted twice."""
    now = time.time_ns() // 1_000_000 - 60_000
    first, told = watching(bootstrap, tmp_path, make_watcher())
    with first:
        send(bootstrap, EVENTS, encode_events(texts("good game", "well played")).to_pylist(), now)
        send(bootstrap, EVENTS, [b""], now, {"kind": "heartbeat"})
        send_results(bootstrap, results(1_250, 0.2), now)
        first.wait({EVENTS: 2, ANALYSIS: 1_250})
    assert told == []
    send_results(bootstrap, results(500, 0.7, 2), now + 2_000)
    second, told = watching(bootstrap, tmp_path, make_watcher())
    with second:
        second.wait({EVENTS: 0, ANALYSIS: 500})
    assert {(each.key.measure, each.key.group) for each in told} == {("toxicity", "twitch")}
    assert [each.shift.method for each in told].count("distribution") == 1
    assert second.watch.told == len(told)
    third, again = watching(bootstrap, tmp_path, make_watcher())
    with third:
        send(bootstrap, EVENTS, encode_events(texts("one more")).to_pylist(), now)
        third.wait({EVENTS: 1, ANALYSIS: 0})
    assert again == []
    end = end_position(bootstrap, MODEL_DRIFT)
    records = [m for batch in read_batches(bootstrap, Position(MODEL_DRIFT, {0: 0}), end) for m in batch]
    assert [json.loads(message.value() or b"") for message in records] == [record(each) for each in told]
    assert {message.key() for message in records} == {b"toxicity/twitch"}


class Running:
    """A watch on a thread of its own."""

    def __init__(self, watch: Watch) -> None:
        """Prepare it."""
        self.watch = watch
        self._stop = threading.Event()
        self._failed: list[BaseException] = []
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            self.watch.run(self._stop)
        except BaseException as error:  # noqa: BLE001 - raised where the test waits
            self._failed.append(error)

    def __enter__(self) -> None:
        """Start it, and wait until it reads: at first it begins where the topics end."""
        self._thread.start()
        self.until(self.watch.started.is_set)

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self._stop.set()
        self._thread.join(30)
        assert self._failed == []

    def wait(self, read: dict[str, int]) -> None:
        """Wait until so many records were read."""
        self.until(lambda: self.watch.read == read)

    def until(self, holds: Callable[[], bool]) -> None:
        """Poll, for a minute at most."""
        deadline = time.monotonic() + 60
        while not holds():
            assert self._failed == []
            assert time.monotonic() < deadline, self.watch.read
            time.sleep(0.05)


def watching(bootstrap: str, folder: Path, watcher: Watcher) -> tuple[Running, list[Drift]]:
    """Prepare a watch; return it and what it will tell."""
    told: list[Drift] = []
    metrics = DriftMetrics(CollectorRegistry())
    watch = Watch(bootstrap, watcher, folder / "state.json", DriftTopic(bootstrap), metrics, told.append)
    return Running(watch), told


def send_results(bootstrap: str, rows: pa.RecordBatch, now: int) -> None:
    """Send results whose times are a ms apart."""
    send(bootstrap, ANALYSIS, encode_analysis(rows, pa.array(range(now, now + len(rows)))).to_pylist(), now)


def send(bootstrap: str, topic: str, values: list[bytes], ts: int, headers: dict[str, str] | None = None) -> None:
    """Send records to the first partition, in order."""
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
    for value in values:
        producer.produce(topic, value, b"twitch-1", 0, timestamp=ts, headers=dict(headers or {}))
    assert producer.flush(30) == 0
