"""Frames by their bytes, whatever holds them, and their JSON."""

from __future__ import annotations

import pytest

from echopulse.gateway.burst import Burst
from echopulse.gateway.framed import Frame, parsed_json, whole


def test_whole_frames() -> None:
    """Of a burst all are; elsewhere each tells why it is not."""
    assert whole(Burst([b"1", b"2"])) == ([b"1", b"2"], {})
    assert whole([Frame(b"1"), Frame(b"2", "cut short"), Frame(b"3")]) == ([b"1", b"2", b"3"], {1: "cut short"})


@pytest.mark.parametrize("unread", [{}, {0: "cut short"}])
def test_what_is_not_json_is_told(unread: dict[int, str]) -> None:
    """One that could not be taken whole keeps its own reason, also where it is JSON as far as it goes."""
    told = dict(unread)
    assert parsed_json([b"1", b"{", b'{"a":2}'], told) == [None if unread else 1, None, {"a": 2}]
    assert told == unread | {1: "not JSON: unexpected end of data: line 1 column 2 (char 1)"}


def test_json_throughout() -> None:
    """Nothing is told."""
    unread: dict[int, str] = {}
    assert parsed_json([b"1", b"null", b'"a"'], unread) == [1, None, "a"]
    assert unread == {}
