"""Where a dead letter comes from, whose it is, and what there is to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import orjson
from google.protobuf.message import DecodeError

from schemas.social_event_pb2 import SocialEvent
from schemas.topics import EVENTS

if TYPE_CHECKING:
    from echopulse.dead_letters.letter import Letter

_ADVICE = {
    "parse": "The bytes could not be read: mend what writes them. A frame is read anew through its mapping.",
    "validate": "A field is missing or does not fit: mend the mapping that names where it stands, then replay.",
    "time": (
        "Its time is outside what social.events takes, or differed from its record's. A replay gives the record the "
        "event's own time; an event ahead of the clock goes through once its time has come."
    ),
    "produce": "Kafka refused it. Replay once the broker is well; an event above the topic's largest size stays.",
    "decode": "It is no SocialEvent, and no replay makes it one: mend the program that writes to social.events.",
    "extract": "Its payload, which its text was to be in, is no JSON object: mend what writes it, or set meta.text.",
    "analyse": "A strategy failed on it: mend the strategy, submit the job again, then replay.",
}
_NO_ADVICE = "Something else writes to social.dlq; the bytes are those of its record."


class Whence(NamedTuple):
    """The source and the channel of an original, '' where they cannot be told."""

    source: str
    channel: str


def whence(letter: Letter) -> Whence:
    """Tell source and channel as far as the original can be read."""
    if letter.is_event:
        try:
            event = SocialEvent.FromString(letter.content.original)
        except DecodeError:
            return Whence("", "")
        return Whence(event.source, event.channel_id)
    form = letter.form.form if letter.form else ""
    if form == "frame":
        return Whence(letter.content.origin.rpartition(":")[0], "")
    if form != "object" or letter.form is None:
        return Whence("", "")
    try:
        document = orjson.loads(letter.content.original)
    except orjson.JSONDecodeError:
        return Whence("", "")
    columns = dict(pair.split("=", 1) for pair in letter.form.mapping.split(",") if "=" in pair)
    return Whence(_text(document, columns.get("source", "source")), _text(document, columns.get("channel", "channel")))


def told_origin(letter: Letter) -> str:
    """Say in words where the original came from."""
    origin = letter.content.origin
    if not origin:
        return "something else that writes to social.dlq"
    if origin == EVENTS:
        return f"an event that Kafka did not take on {EVENTS}"
    if letter.is_event:
        _, partition, offset = origin.split("/", 2)
        return f"record {offset} of partition {partition} of {EVENTS}"
    place, _, number = origin.rpartition(":")
    form = letter.form.form if letter.form else ""
    return f"frame {number} of the source {place}" if form == "frame" else f"line or row {number} of {place}"


def advice(letter: Letter) -> str:
    """Say what can be done about it."""
    return _ADVICE.get(letter.content.stage, _NO_ADVICE)


def _text(document: object, key: str) -> str:
    value = document.get(key) if isinstance(document, dict) else None
    return value if isinstance(value, str) else ""
