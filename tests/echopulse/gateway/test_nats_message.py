"""A record survives its time as a message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echopulse.gateway.nats_message import MESSAGE_ID, message_id, pack, unpack
from echopulse.gateway.outgoing import Outgoing
from schemas.social_event_pb2 import SocialEvent
from schemas.topics import DLQ, EVENTS

_NAMES = st.text(max_size=300, alphabet=st.characters(exclude_categories=["Cs"]))


@given(st.binary(max_size=300), st.binary(max_size=50), st.integers(0, 2**60), st.dictionaries(_NAMES, st.binary()))
def test_it_comes_back(key: bytes, value: bytes, ts: int, headers: dict[str, bytes]) -> None:
    """Whatever its key and headers hold; subject and headers hold nothing that NATS would read as its own."""
    record = Outgoing(DLQ, key, value, ts, tuple(headers.items()))
    message = pack(record, "stream")
    assert unpack(message.subject, message.payload, message.headers) == record
    token = message.subject.removeprefix(f"{DLQ}.")
    assert token
    assert len(token) <= 256
    assert not set(token) & set(".*> \r\n\t")
    assert all(text.isascii() and text.isprintable() for pair in message.headers.items() for text in pair)


def test_the_id_is_channel_and_event() -> None:
    """One id in two channels is two events, as for the job; a dead letter is known by what it holds."""

    def named(channel: str, name: str) -> str:
        value = SocialEvent(id=name, channel_id=channel).SerializeToString()
        return message_id(Outgoing(EVENTS, channel.encode(), value, 0))

    assert named("a.b", "é 1") == "a%2Eb/%C3%A9%201"
    assert len({named("a", "1"), named("b", "1"), named("a", "2"), named("a", "x" * 5000)}) == 4
    assert len(named("a", "x" * 5000)) == 33
    letters = [Outgoing(DLQ, b"feed", value, 0) for value in (b"1", b"2", b"1")]
    assert len({message_id(letter) for letter in letters}) == 2


def test_the_size_is_what_the_server_counts() -> None:
    """The version line, names, values, separators and the payload."""
    message = pack(Outgoing(DLQ, b"k", b"value", 7), "s")
    lines = "".join(f"{name}: {value}\r\n" for name, value in message.headers.items())
    assert message.size == len(f"NATS/1.0\r\n{lines}\r\n") + 5
    assert message.headers[MESSAGE_ID].startswith("%")


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({}, "it has no header Kafka-Key"),
        ({"Kafka-Key": "a"}, "it has no header Kafka-Timestamp"),
        ({"Kafka-Key": "a", "Kafka-Timestamp": "now"}, "invalid literal for int"),
        ({"Kafka-Key": "a", "Kafka-Timestamp": "1", "Kafka-Header-h": "*"}, "base64"),
    ],
)
def test_a_foreign_message_is_told(headers: dict[str, str], told: str) -> None:
    """By what it lacks."""
    with pytest.raises(ValueError, match=told):
        unpack("social.events.a", b"", headers)
