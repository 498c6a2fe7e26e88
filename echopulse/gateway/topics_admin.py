"""Topics at the broker: created as declared, and refused where they exist otherwise."""

from __future__ import annotations

import logging
import time
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

#: How long each answer of the broker may take.
TIMEOUT_S = 30.0
_POLL_S = 0.05

_LOG = logging.getLogger("echopulse.kafka")


def ensure_topics(
    bootstrap: str, topics: Sequence[Topic] = TOPICS, replication: int = 1, timeout_s: float | None = None
) -> list[str]:
    """Create the topics that are missing, with their settings, and return their names.

    `timeout_s` (default TIMEOUT_S) bounds each answer. Raises EchoPulseError where no broker answers, a topic cannot
    be created, or one exists with another setting; told are topic, setting, both values and how to mend it.
    """
    timeout_s = TIMEOUT_S if timeout_s is None else timeout_s
    client = AdminClient({"bootstrap.servers": bootstrap, "socket.timeout.ms": int(timeout_s * 1000)}, logger=_LOG)
    try:
        present = client.list_topics(timeout=timeout_s).topics
        created = [
            topic.name
            for topic in topics
            if topic.name not in present and _create(client, topic, replication, timeout_s)
        ]
        existing = [topic for topic in topics if topic.name not in created]
        _check_partitions(existing, _led_partitions(client, topics, timeout_s))
        _check_settings(client, existing, timeout_s)
    except KafkaException as error:
        raise no_broker(bootstrap, error) from error
    except TimeoutError as error:
        raise EchoPulseError(f"Kafka at {bootstrap} did not answer on its topics within {timeout_s:g} s") from error
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


def _led_partitions(client: AdminClient, topics: Sequence[Topic], timeout_s: float) -> dict[str, int]:
    """Return the number of partitions of each topic, once all have a leader.

    A new topic reaches a broker's metadata some time after its creation was answered.
    """
    names = {topic.name for topic in topics}
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        known = {name: found for name, found in client.list_topics(timeout=timeout_s).topics.items() if name in names}
        leaders = [partition.leader for found in known.values() for partition in found.partitions.values()]
        if len(known) == len(names) and all(found.partitions for found in known.values()) and min(leaders) >= 0:
            return {name: len(found.partitions) for name, found in known.items()}
        time.sleep(_POLL_S)
    raise TimeoutError


def _check_partitions(topics: Sequence[Topic], found: Mapping[str, int]) -> None:
    for topic in topics:
        if found[topic.name] != topic.partitions:
            refuse(topic.name, "partitions", topic.partitions, found[topic.name])


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
