"""How far a consumer group has come: asked of its coordinator, and set for a group that nobody reads for."""

from __future__ import annotations

from confluent_kafka import KafkaException, TopicPartition

from echopulse.job.starting_broker import answered
from echopulse.job.topic_reader import Position, consumer
from schemas.errors import EchoPulseError

_TIMEOUT_S = 10.0


def committed(bootstrap: str, group: str, end: Position) -> Position:
    """Return where a group goes on in the partitions of `end`; one it never read in is left out.

    Raises EchoPulseError where its coordinator does not tell, also not after 30 s.
    """
    reader = consumer(bootstrap, group=group)
    asked = [TopicPartition(end.topic, partition) for partition in end.offsets]
    try:
        found = answered(lambda: _accepted(reader.committed(asked, timeout=_TIMEOUT_S)))
    except KafkaException as error:
        raise EchoPulseError(
            f"Kafka at {bootstrap} does not tell the offsets of group {group}: {error.args[0]}",
            "see `echopulse status`",
        ) from error
    finally:
        reader.close()
    return Position(end.topic, {each.partition: each.offset for each in found if each.offset >= 0})


def commit(bootstrap: str, group: str, position: Position) -> None:
    """Let a group that nobody reads for go on from `position`.

    Raises EchoPulseError where the broker refuses it, or its coordinator is not there after 30 s.
    """
    writer = consumer(bootstrap, group=group)
    offsets = [TopicPartition(position.topic, partition, offset) for partition, offset in position.offsets.items()]
    try:
        answered(lambda: _accepted(writer.commit(offsets=offsets, asynchronous=False)))
    except KafkaException as error:
        raise EchoPulseError(
            f"Kafka at {bootstrap} does not take the offsets of group {group}: {error.args[0]}",
            "see `echopulse status`",
        ) from error
    finally:
        writer.close()


def _accepted(answer: list[TopicPartition] | None) -> list[TopicPartition]:
    """Raise the KafkaException of a partition that was refused."""
    if refused := next((each.error for each in answer or () if each.error), None):
        raise KafkaException(refused)
    return answer or []
