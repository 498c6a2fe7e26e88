"""What an original says, as far as it can be read, and its bytes as a person can look at them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from google.protobuf.message import DecodeError

from echopulse.dead_letters.wire import partial_event
from echopulse.gateway.event_time import iso
from schemas.social_event_pb2 import SocialEvent

if TYPE_CHECKING:
    from echopulse.dead_letters.letter import Letter

_BYTES_A_LINE = 16
_PRINTABLE = range(0x20, 0x7F)


def decoded(letter: Letter) -> dict[str, Any] | None:
    """Return what an original says: an event or a JSON document whole, a broken event up to where it breaks.

    None where nothing can be told.
    """
    original = letter.content.original
    if letter.is_event:
        try:
            return _event(SocialEvent.FromString(original))
        except DecodeError as error:
            part = partial_event(original)
            return {
                "broken": str(error) or part.reason,
                "at_byte": part.stopped_at,
                "fields": [list(field) for field in part.fields],
            }
    try:
        return {"document": orjson.loads(original)}
    except orjson.JSONDecodeError:
        return None


def hex_lines(data: bytes, most: int) -> list[str]:
    """Return the first `most` bytes as lines of offset, hexadecimal digits and ASCII."""
    lines = []
    for start in range(0, min(len(data), most), _BYTES_A_LINE):
        piece = data[start : min(start + _BYTES_A_LINE, most)]
        text = "".join(chr(byte) if byte in _PRINTABLE else "." for byte in piece)
        lines.append(f"{start:08x}  {piece.hex(' '):<{_BYTES_A_LINE * 3}} {text}")
    return lines


def _event(event: SocialEvent) -> dict[str, Any]:
    return {
        "id": event.id,
        "ts": iso(event.ts.seconds * 1000 + event.ts.nanos // 1_000_000) if event.HasField("ts") else None,
        "source": event.source,
        "channel": event.channel_id,
        "user": event.user_id,
        "raw": event.raw_payload.decode(errors="replace"),
        "meta": dict(event.metadata),
    }
