"""The bounds of the producer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.gateway import kafka_client
from echopulse.gateway.kafka_client import BoundedProducer
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message


def _ignore(_error: KafkaError, _message: Message) -> None:
    """Take no notice."""


def test_no_broker_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the address and the way out."""
    monkeypatch.setattr(kafka_client, "_METADATA_TIMEOUT_S", 0.5)
    with pytest.raises(EchoPulseError) as raised:
        BoundedProducer("127.0.0.1:1", _ignore).partitions("social.events")
    assert str(raised.value).startswith("no Kafka broker answers at 127.0.0.1:1: ")
    assert "kafka.bootstrap in the settings names another" in str(raised.value)


def test_a_full_queue_makes_the_caller_wait_and_then_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-pressure has an end where nothing is taken."""
    monkeypatch.setattr(kafka_client, "_QUEUED_MESSAGES", 3)
    monkeypatch.setattr(kafka_client, "_POLL_S", 0.01)
    producer = BoundedProducer("127.0.0.1:1", _ignore)
    monkeypatch.setattr(kafka_client, "DELIVERY_TIMEOUT_S", 0.2)
    for _ in range(3):
        producer.produce("t", b"v", b"k")
    with pytest.raises(EchoPulseError, match=r"Kafka at 127\.0\.0\.1:1 does not take the 3 messages that wait"):
        producer.produce("t", b"v", b"k")
    with pytest.raises(EchoPulseError, match="see whether it runs"):
        producer.flush(0.05)


def test_back_pressure_loses_nothing(bootstrap: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue of ten passes a thousand messages."""
    monkeypatch.setattr(kafka_client, "_QUEUED_MESSAGES", 10)
    failed: list[str] = []
    producer = BoundedProducer(bootstrap, lambda error, _message: failed.append(error.str()))
    for number in range(1000):
        producer.produce("t", b"%d" % number, b"k")
    producer.flush(30)
    assert not failed
    assert len(producer) == 0
    producer.close()


def test_a_message_that_no_topic_takes_is_told(bootstrap: str) -> None:
    """Where the caller did not look first."""
    producer = BoundedProducer(bootstrap, _ignore)
    with pytest.raises(EchoPulseError, match=f"Kafka at {bootstrap} takes no message on t: "):
        producer.produce("t", bytes(5 << 20), b"k")
