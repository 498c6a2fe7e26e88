"""Topics held against their declaration."""

from __future__ import annotations

import pytest

from echopulse.gateway.topics_admin import compare, ensure_topics, refuse
from schemas.errors import EchoPulseError
from schemas.topics import TOPICS


def test_a_topic_as_declared_is_accepted() -> None:
    """Settings that are not declared are of no account."""
    for topic in TOPICS:
        compare(topic, topic.config | {"segment.bytes": "7"})


@pytest.mark.parametrize(
    ("setting", "found", "message"),
    [
        (
            "message.timestamp.type",
            "LogAppendTime",
            (
                "topic social.events exists with message.timestamp.type = LogAppendTime, not CreateTime (mend it: "
                "kafka-configs.sh --alter --entity-type topics --entity-name social.events "
                "--add-config message.timestamp.type=CreateTime)"
            ),
        ),
        ("retention.ms", None, "topic social.events exists with retention.ms = None, not 315360000000 (mend it: "),
    ],
)
def test_another_setting_is_told_with_both_values(setting: str, found: str | None, message: str) -> None:
    """And how to mend it."""
    topic = TOPICS[0]
    with pytest.raises(EchoPulseError) as raised:
        compare(topic, {**topic.config, setting: found})
    assert str(raised.value).startswith(message)


def test_another_number_of_partitions_has_its_own_remedy() -> None:
    """Partitions can only grow."""
    with pytest.raises(EchoPulseError) as raised:
        refuse("social.events", "partitions", 4, 1)
    assert str(raised.value) == (
        "topic social.events exists with partitions = 1, not 4 "
        "(mend it: kafka-topics.sh --alter --topic social.events --partitions 4 (more only), or delete the topic)"
    )


def test_no_broker_is_told() -> None:
    """Within the time that is given."""
    with pytest.raises(EchoPulseError, match=r"no Kafka broker answers at 127\.0\.0\.1:1: .*echopulse up"):
        ensure_topics("127.0.0.1:1", timeout_s=1)
