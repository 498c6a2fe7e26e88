"""Events, letters and their topics, made for the tests of dead letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import Producer

from echopulse.dead_letters.letter import Letter, LetterId
from schemas.avro import DeadLetter, encode_dead_letters
from schemas.social_event_pb2 import SocialEvent
from schemas.topics import DLQ, DLQ_REPLAYS, EVENTS

if TYPE_CHECKING:
    from echopulse.gateway.original_form import OriginalForm

_TIMEOUT_S = 30
#: One instant for all processes that collect tests: cases are named by it.
NOW_MS = 1_769_860_800_000


def event(name: str, *, ts_ms: int = NOW_MS, channel: str = "c:1", raw: bytes = b'{"text": "fine"}') -> bytes:
    """Return a SocialEvent as its bytes."""
    made = SocialEvent(id=name, source="test", channel_id=channel, user_id="u", raw_payload=raw)
    made.ts.FromMilliseconds(ts_ms)
    return made.SerializeToString()


def content(
    original: bytes, *, stage: str = "time", origin: str = "social.events/0/7", reason: str = "why"
) -> DeadLetter:
    """Return what a letter holds."""
    return DeadLetter(stage, reason, origin, "", NOW_MS, original)


def letter(
    original: bytes,
    offset: int = 0,
    *,
    form: OriginalForm | None = None,
    stage: str = "time",
    origin: str | None = None,
) -> Letter:
    """Return a letter; without a form its original is a SocialEvent."""
    whence = origin if origin is not None else "f:1" if form else "social.events/0/7"
    return Letter(LetterId(0, offset), content(original, stage=stage, origin=whence), form)


def write_letters(bootstrap: str, *contents: DeadLetter) -> None:
    """Write letters as the job does, without headers that say how they are read; topics are made with it."""
    producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0})
    for topic in (DLQ, DLQ_REPLAYS, EVENTS):
        producer.list_topics(topic, timeout=_TIMEOUT_S)
    for each, datum in zip(contents, encode_dead_letters(contents), strict=True):
        producer.produce(DLQ, datum, each.origin, timestamp=each.ts)
    assert producer.flush(_TIMEOUT_S) == 0
