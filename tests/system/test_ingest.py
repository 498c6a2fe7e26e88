"""Ingest against a real broker, killed half way in one test."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Consumer, Message, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined] # its types leave these out
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from echopulse.cli.main import main
from echopulse.gateway.dead_letters import DeadLetterProducer, now_ms
from echopulse.gateway.kafka_client import BoundedProducer
from echopulse.gateway.producer import EventProducer
from echopulse.gateway.replay import Progress, replay
from echopulse.gateway.topics_admin import ensure_topics
from echopulse.job.backlog import pass_over
from echopulse.job.group_offsets import committed
from echopulse.job.topic_reader import end_position
from echopulse.stack import Stack, StackSettings
from echopulse.stack.kafka import Kafka
from schemas.avro import decode_dead_letter
from schemas.errors import EchoPulseError
from schemas.social_event_pb2 import SocialEvent
from schemas.topics import DLQ, EVENTS, TOPICS, Topic
from tests.ports import free_ports
from tests.system.chat import conversation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

_DEADLINE_S = 60
PAST = 1_700_000_000_000


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Yield a stack of one broker."""
    broker, controller = free_ports(2)
    settings = StackSettings(
        home=tmp_path_factory.mktemp("stack"), kafka_port=broker, kafka_controller_port=controller, kafka_heap_mb=256
    )
    with Stack(settings, lambda _: None, services=[Kafka(settings)], jar_groups=()).bring_up() as stack:
        yield stack


@pytest.fixture
def bootstrap(kafka: Stack) -> str:
    """Return the address of a broker whose topics exist and are empty."""
    address = kafka.addresses["kafka"]
    client = AdminClient({"bootstrap.servers": address})
    present = client.list_topics(timeout=_DEADLINE_S).topics
    names = [topic.name for topic in TOPICS if topic.name in present]
    for future in client.delete_topics(names, operation_timeout=_DEADLINE_S).values() if names else ():
        future.result(_DEADLINE_S)
    deadline = time.monotonic() + _DEADLINE_S
    while set(names) & set(client.list_topics(timeout=_DEADLINE_S).topics) and time.monotonic() < deadline:
        time.sleep(0.05)
    ensure_topics(address)
    return address


def _read_all(bootstrap: str, topic: str) -> list[Message]:
    """Read a topic to its present end."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "test", "isolation.level": "read_committed"})
    partitions = BoundedProducer(bootstrap, lambda _error, _message: None).partitions(topic)
    ends = {
        partition: consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_DEADLINE_S)[1]
        for partition in partitions
    }
    consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
    messages: list[Message] = []
    deadline = time.monotonic() + _DEADLINE_S
    while len(messages) < sum(ends.values()) and time.monotonic() < deadline:
        messages += consumer.consume(10_000, timeout=0.2)
    consumer.close()
    assert len(messages) == sum(ends.values())
    return messages


def _value(message: Message) -> bytes:
    value = message.value()
    assert value is not None
    return value


def _lines(count: int) -> bytes:
    rows = (
        {"id": f"e{row}", "ts": PAST + row, "channel": f"c{row % 50}", "raw": {"text": f"hello {row}"}}
        for row in range(count)
    )
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def test_topics_are_created_once_and_refused_with_other_settings(bootstrap: str) -> None:
    """The second time nothing is created; a changed setting or number of partitions is told."""
    assert ensure_topics(bootstrap) == []
    client = AdminClient({"bootstrap.servers": bootstrap})
    change = ConfigEntry("retention.ms", "5", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, DLQ, incremental_configs=[change])
    for future in client.incremental_alter_configs([resource]).values():
        future.result(_DEADLINE_S)
    with pytest.raises(EchoPulseError, match=r"topic social\.dlq exists with retention\.ms = 5, not 315360000000"):
        ensure_topics(bootstrap)
    with pytest.raises(EchoPulseError, match=r"topic social\.events exists with partitions = 4, not 5"):
        ensure_topics(bootstrap, [Topic(EVENTS, partitions=5, retention_ms=TOPICS[0].retention_ms)])
    with pytest.raises(EchoPulseError, match=r"topic bad name cannot be created"):
        ensure_topics(bootstrap, [Topic("bad name", partitions=1, retention_ms=1)])


def test_the_command_replays_a_file(
    bootstrap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every row is on a topic, at its moved time; a megabyte goes through, five are kept in parts."""
    big = [json.dumps({"id": f"big{size}", "ts": PAST, "channel": "c", "raw": "x" * (size << 20)}) for size in (1, 5)]
    content = _lines(1000) + "\n".join(big).encode() + b'\n{"id":"old","ts":1,"channel":"c"}\nbroken'
    (tmp_path / "chat.jsonl").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ECHOPULSE_KAFKA__BOOTSTRAP", bootstrap)
    assert main(["ingest", "replay", "chat.jsonl", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["events"], report["dead_letters"]) == (1001, 3)
    messages = _read_all(bootstrap, EVENTS)
    events = [SocialEvent.FromString(_value(message)) for message in messages]
    assert len([event for event in events if event.metadata.get("kind") == "heartbeat"]) == 4
    assert {event.id for event in events} >= {f"e{row}" for row in range(1000)} | {"big1"}
    for event, message in zip(events, messages, strict=True):
        assert message.timestamp()[1] == event.ts.ToMilliseconds()
    letters = [decode_dead_letter(_value(message)) for message in _read_all(bootstrap, DLQ)]
    assert {(letter.origin, letter.stage) for letter in letters} == {
        ("chat.jsonl:1003", "time"),
        ("chat.jsonl:1004", "parse"),
        (EVENTS, "produce"),
    }
    original = b"".join(letter.original for letter in letters if letter.stage == "produce")
    assert SocialEvent.FromString(original).raw_payload == b"x" * (5 << 20)


def test_what_the_broker_refuses_is_a_dead_letter(bootstrap: str) -> None:
    """A heartbeat beyond the broker's hour ahead is told; the events before it are delivered."""
    with EventProducer(bootstrap) as producer:
        with pytest.raises(EchoPulseError, match=r"a heartbeat of social\.events was refused"):
            producer.heartbeat(now_ms() + 2 * 3_600_000)
        producer.heartbeat(now_ms())
    assert len(_read_all(bootstrap, EVENTS)) == 4


def test_a_killed_broker_loses_and_doubles_nothing(kafka: Stack, bootstrap: str, tmp_path: Path) -> None:
    """The producer waits until the broker is back and goes on."""
    count = 40_000
    path = tmp_path / "chat.jsonl"
    path.write_bytes(_lines(count))
    killed = threading.Event()

    def kill_half_way(progress: Progress) -> None:
        if progress.events > count // 2 and not killed.is_set():
            kafka.service("kafka").kill()
            killed.set()

    def bring_back() -> None:
        assert killed.wait(_DEADLINE_S)
        kafka.restart("kafka")

    with DeadLetterProducer(bootstrap) as letters, EventProducer(bootstrap, letters) as producer:
        thread = threading.Thread(target=bring_back)
        thread.start()
        report = replay(path, producer, letters, rate=20_000.0, closing=None, on_progress=kill_half_way)
        thread.join()
    assert (report.events, report.dead_letters) == (count, 0)
    ids = [SocialEvent.FromString(_value(message)).id for message in _read_all(bootstrap, EVENTS)]
    assert len(ids) == len(set(ids)) == count


def test_what_a_replay_passes_over_is_counted(kafka: Stack, bootstrap: str) -> None:
    """By what a group has committed, asked of a broker that has just started, whose coordinator may be late."""
    assert pass_over(bootstrap, "signals") == ""
    with EventProducer(bootstrap) as producer:
        producer.send(conversation("unread", now_ms() - 600_000, minutes=5, count=300, seed=4))
        producer.heartbeat(now_ms())
    kafka.restart("kafka")
    assert pass_over(bootstrap, "signals").startswith(
        "passing over for good what an earlier run left unread: 300 events;"
    )
    kafka.restart("kafka")
    assert pass_over(bootstrap, "signals") == ""
    end = end_position(bootstrap, EVENTS)
    assert committed(bootstrap, "signals", end) == end
