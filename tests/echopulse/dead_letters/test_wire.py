"""Broken protobuf, read as far as it goes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from echopulse.dead_letters.wire import partial_event
from tests.echopulse.dead_letters.letters import event


def test_a_message_that_was_cut_shows_what_came_before() -> None:
    """Names of the fields, where it stops, and why."""
    whole = event("an-id", channel="c:1")
    found = partial_event(whole[:-5])
    assert ("id", "an-id") in found.fields
    assert ("channel_id", "c:1") in found.fields
    assert found.reason == "a value of 16 bytes where 11 are left"
    assert whole[found.stopped_at :] == b"\x32\x10" + b'{"text": "fine"}'


def test_a_whole_message_has_no_fault() -> None:
    """All of its bytes are read."""
    whole = event("e")
    found = partial_event(whole)
    assert (found.stopped_at, found.reason) == (len(whole), "")
    assert [name for name, _ in found.fields] == ["id", "ts", "source", "channel_id", "user_id", "raw_payload"]


def test_unknown_fields_and_kinds_are_told() -> None:
    """By number, and by what is wrong."""
    assert partial_event(b"\x60\x05\x6d\x01\x00\x00\x00\x71\x02\x00\x00\x00\x00\x00\x00\x00").fields == [
        ("field 12", 5),
        ("field 13", 1),
        ("field 14", 2),
    ]
    assert partial_event(b"\x0b").reason == "wire type 3 is none that a SocialEvent has"
    assert partial_event(b"\xff").reason == "the bytes end inside a number"
    assert partial_event(b"\x0a" + b"\xff" * 11).reason == "a number longer than ten bytes"


@given(st.binary(max_size=200))
def test_any_bytes_come_to_an_end(data: bytes) -> None:
    """Within themselves, whatever they are."""
    found = partial_event(data)
    assert 0 <= found.stopped_at <= len(data)
    assert bool(found.reason) == (found.stopped_at < len(data))
