"""A broker that has just started is waited for, and no other."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from confluent_kafka import KafkaError, KafkaException

from echopulse.job import starting_broker
from echopulse.job.starting_broker import answered

STARTING = [
    *(KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE),
    *(KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS),
]


@dataclass
class Broker:
    """Gives an error so many times, then an offset."""

    code: int
    times: int

    def __call__(self) -> int:
        """Answer."""
        self.times -= 1
        if self.times >= 0:
            raise KafkaException(KafkaError(self.code))
        return 7


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting_broker, "_POLL_S", 0.001)


@pytest.mark.parametrize("code", STARTING)
def test_what_a_start_explains_is_waited_out(code: int) -> None:
    """The answer that follows is the answer."""
    assert answered(Broker(code, 3)) == 7


def test_waiting_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker's own answer is raised."""
    monkeypatch.setattr(starting_broker, "_PATIENCE_S", 0.01)
    with pytest.raises(KafkaException, match="NOT_COORDINATOR"):
        answered(Broker(KafkaError.NOT_COORDINATOR, 1_000_000))


def test_other_errors_are_told_at_once() -> None:
    """Waiting would not mend them."""
    broker = Broker(KafkaError.GROUP_AUTHORIZATION_FAILED, 1)
    with pytest.raises(KafkaException, match="GROUP_AUTHORIZATION_FAILED"):
        answered(broker)
    assert broker.times == 0
