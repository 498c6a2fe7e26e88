"""The fields of a protobuf message that is broken, as far as they can be read.

Wire format: https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

from typing import NamedTuple

from schemas.social_event_pb2 import SocialEvent

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED = {_FIXED64: 8, _FIXED32: 4}
_LONGEST_VARINT = 10
_MOST_FIELDS = 200
_SHOWN_BYTES = 2_000


class PartialMessage(NamedTuple):
    """What was read before `stopped_at` (a byte, from 0), field by field, and why no more was."""

    fields: list[tuple[str, object]]
    stopped_at: int
    reason: str


def partial_event(data: bytes) -> PartialMessage:
    """Read the fields of a SocialEvent until one cannot be read; text is shown with replacement characters."""
    fields: list[tuple[str, object]] = []
    names = {field.number: field.name for field in SocialEvent.DESCRIPTOR.fields}
    at = 0
    while at < len(data) and len(fields) < _MOST_FIELDS:
        try:
            tag, after_tag = _varint(data, at)
            value, end = _value(data, after_tag, tag & 7)
        except ValueError as error:
            return PartialMessage(fields, at, str(error))
        fields.append((names.get(tag >> 3, f"field {tag >> 3}"), value))
        at = end
    return PartialMessage(fields, at, "")


def _value(data: bytes, at: int, kind: int) -> tuple[object, int]:
    if kind == _VARINT:
        return _varint(data, at)
    if kind == _BYTES:
        size, start = _varint(data, at)
        _check_within(data, start, size)
        return data[start : start + min(size, _SHOWN_BYTES)].decode(errors="replace"), start + size
    if kind in _FIXED:
        size = _FIXED[kind]
        _check_within(data, at, size)
        return int.from_bytes(data[at : at + size], "little"), at + size
    raise ValueError(f"wire type {kind} is none that a SocialEvent has")


def _check_within(data: bytes, start: int, size: int) -> None:
    """Raise ValueError where a value reaches beyond the end."""
    if start + size > len(data):
        raise ValueError(f"a value of {size} bytes where {len(data) - start} are left")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(_LONGEST_VARINT):
        if at + place >= len(data):
            raise ValueError("the bytes end inside a number")
        byte = data[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:  # noqa: PLR2004 the bit that says that more follows
            return value, at + place + 1
    raise ValueError("a number longer than ten bytes")
