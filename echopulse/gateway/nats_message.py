"""A record as a JetStream message and back: nothing of what Kafka would hold is lost on the way."""

from __future__ import annotations

from base64 import b64decode, b64encode
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from echopulse.gateway.outgoing import Outgoing
from schemas.social_event_pb2 import SocialEvent
from schemas.topics import EVENTS

if TYPE_CHECKING:
    from collections.abc import Mapping

MESSAGE_ID, EXPECTED_STREAM = "Nats-Msg-Id", "Nats-Expected-Stream"
_KEY, _TS, _HEADER = "Kafka-Key", "Kafka-Timestamp", "Kafka-Header-"
#: A server closes the connection over a control line above 4096 bytes, and the subject stands in it.
_LONGEST_TOKEN = 256
#: The version line, the empty line, and what stands around each name and value; see NATS' ADR-4.
_HEADERS_BYTES, _HEADER_BYTES = 12, 4


class NatsMessage(NamedTuple):
    """What is published."""

    subject: str
    payload: bytes
    headers: dict[str, str]

    @property
    def size(self) -> int:
        """Bytes as the server's `max_payload` counts them: headers and payload."""
        around = sum(len(name) + len(value) + _HEADER_BYTES for name, value in self.headers.items())
        return _HEADERS_BYTES + around + len(self.payload)


def pack(record: Outgoing, stream: str) -> NatsMessage:
    """Return the message of a record: subject = TOPIC.CHANNEL, id = CHANNEL/EVENT ID; text is percent-encoded."""
    key = _quoted(record.key)
    headers = {MESSAGE_ID: message_id(record), EXPECTED_STREAM: stream, _KEY: key, _TS: str(record.ts)}
    for name, value in record.headers:
        headers[_HEADER + _quoted(name.encode())] = b64encode(value).decode()
    token = key if 0 < len(key) <= _LONGEST_TOKEN else f"%{_digest(record.key)}"
    return NatsMessage(f"{record.topic}.{token}", record.value, headers)


def message_id(record: Outgoing) -> str:
    """Return what makes two records one: an event's channel and id, as for the job; a dead letter is its content."""
    if record.topic != EVENTS:
        return f"%{_digest(record.key + b'/' + record.value)}"
    found = f"{_quoted(record.key)}/{_quoted(SocialEvent.FromString(record.value).id.encode())}"
    return found if len(found) <= 2 * _LONGEST_TOKEN else f"%{_digest(found.encode())}"


def unpack(subject: str, payload: bytes, headers: Mapping[str, str]) -> Outgoing:
    """Return the record of a message. Raises ValueError where it is none that `pack` made."""
    try:
        key, ts = unquote_to_bytes(headers[_KEY]), int(headers[_TS])
    except KeyError as error:
        raise ValueError(f"it has no header {error.args[0]}") from None
    own = [(name.removeprefix(_HEADER), value) for name, value in headers.items() if name.startswith(_HEADER)]
    kept = tuple((unquote_to_bytes(name).decode(), b64decode(value, validate=True)) for name, value in own)
    return Outgoing(subject.rpartition(".")[0], key, payload, ts, kept)


def _quoted(data: bytes) -> str:
    # `.` parts a subject into tokens; the others that mean something there are encoded anyway.
    return quote_from_bytes(data, safe="").replace(".", "%2E")


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=16).hexdigest()
