"""Topics at the broker: created as declared, and refused where they exist otherwise."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined] # its types leave these three out
    AdminClient,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from echopulse.gateway.kafka_client import no_broker
from schemas.errors import EchoPulseError
from schemas.topics import TOPICS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemas.topics import Topic

_LOG = logging.getLogger("echopulse.kafka")


def ensure_topics(
    bootstrap: str, topics: Sequence[Topic] = TOPICS, replication: int = 1, timeout_s: float = 30
) -> list[str]:
    """Create the topics that are missing, with their settings, and return their names.

    Raises EchoPulseError where no broker answers, a topic cannot be created, or one exists with another setting: the
    topic, the setting, both values and the way to mend it.
    """
    client = AdminClient({"bootstrap.servers": bootstrap, "socket.timeout.ms": int(timeout_s * 1000)}, logger=_LOG)
    try:
        present = client.list_topics(timeout=timeout_s).topics
        created = [
            topic.name
            for topic in topics
            if topic.name not in present and _create(client, topic, replication, timeout_s)
        ]
        existing = [topic for topic in topics if topic.name not in created]
        _check_partitions(client, existing, timeout_s)
        _check_settings(client, existing, timeout_s)
    except KafkaException as error:
        raise no_broker(bootstrap, error) from error
    return created


def _create(client: AdminClient, topic: Topic, replication: int, timeout_s: float) -> bool:
    """Create one topic; False where someone else was faster."""
    wanted = NewTopic(topic.name, num_partitions=topic.partitions, replication_factor=replication, config=topic.config)
    future = client.create_topics([wanted], operation_timeout=timeout_s, request_timeout=timeout_s)[topic.name]
    try:
        future.result(timeout_s)
    except KafkaException as error:
        if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
            return False
        raise EchoPulseError(f"topic {topic.name} cannot be created: {error.args[0].str()}") from error
    return True


def _check_partitions(client: AdminClient, topics: Sequence[Topic], timeout_s: float) -> None:
    known = client.list_topics(timeout=timeout_s).topics
    for topic in topics:
        found = len(known[topic.name].partitions)
        if found != topic.partitions:
            refuse(topic.name, "partitions", topic.partitions, found)


def _check_settings(client: AdminClient, topics: Sequence[Topic], timeout_s: float) -> None:
    resources = [ConfigResource(ResourceType.TOPIC, topic.name) for topic in topics]
    if not resources:
        return
    futures = client.describe_configs(resources, request_timeout=timeout_s)
    settings = {resource.name: future.result(timeout_s) for resource, future in futures.items()}
    for topic in topics:
        compare(topic, {name: entry.value for name, entry in settings[topic.name].items()})


def compare(topic: Topic, found: Mapping[str, str | None]) -> None:
    """Raise EchoPulseError for the first declared setting that the broker holds otherwise."""
    for setting, wanted in topic.config.items():
        if found.get(setting) != wanted:
            refuse(topic.name, setting, wanted, found.get(setting))


def refuse(topic: str, setting: str, wanted: object, found: object) -> None:
    """Raise the EchoPulseError that tells of one differing setting and its remedy."""
    if setting == "partitions":
        remedy = f"kafka-topics.sh --alter --topic {topic} --partitions {wanted} (more only), or delete the topic"
    else:
        remedy = f"kafka-configs.sh --alter --entity-type topics --entity-name {topic} --add-config {setting}={wanted}"
    raise EchoPulseError(f"topic {topic} exists with {setting} = {found}, not {wanted}", f"mend it: {remedy}")
