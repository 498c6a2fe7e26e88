"""What a broker that has just started answers before it is ready for every request, waited out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from confluent_kafka import KafkaError, KafkaException

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_POLL_S = 0.2
_PATIENCE_S = 30.0
#: It lists its topics before it leads their partitions and coordinates its groups. Clients that only read wait by
#: themselves; librdkafka gives these back to who asks for an offset.
_STARTING = (
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
)


def answered(ask: Callable[[], T]) -> T:
    """Ask again until the broker is ready, for 30 s at most. Raises the KafkaException of `ask`."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return ask()
        except KafkaException as error:
            if error.args[0].code() not in _STARTING or time.monotonic() > deadline:
                raise
        time.sleep(_POLL_S)
