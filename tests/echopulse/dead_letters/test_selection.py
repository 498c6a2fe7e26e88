"""Which letters are meant."""

from __future__ import annotations

import pytest

from echopulse.dead_letters.selection import parse_since, select
from echopulse.gateway.original_form import OriginalForm
from schemas.errors import UsageError
from tests.echopulse.dead_letters.letters import NOW_MS, event, letter


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", NOW_MS - 90_000),
        ("30m", NOW_MS - 1_800_000),
        ("2h", NOW_MS - 7_200_000),
        ("7d", NOW_MS - 604_800_000),
        ("2026-01-31T12:00:00Z", 1_769_860_800_000),
        ("1769860800000", 1_769_860_800_000),
    ],
)
def test_a_time_or_a_span_before_now(text: str, expected: int) -> None:
    """In ms UTC."""
    assert parse_since(text, NOW_MS) == expected


def test_what_cannot_be_meant_is_told() -> None:
    """With the near miss, or an example."""
    with pytest.raises(UsageError) as raised:
        select("analyze", "", "", "", "", NOW_MS)
    assert str(raised.value) == "--stage analyze: no such stage (did you mean 'analyse'?)"
    with pytest.raises(UsageError) as raised:
        select("", "", "yesterday", "", "", NOW_MS)
    assert str(raised.value) == "--since yesterday is not a time (like 2026-01-31T12:00:00Z, 90s, 30m, 2h or 7d)"


def test_each_condition_holds_by_itself_and_with_the_others() -> None:
    """Stage, reason, time, source, channel."""
    one = letter(event("e", channel="c:1"))
    for stage, reason, since, source, channel, holds in [
        ("", "", "", "", "", True),
        ("time", "wh", "1m", "test", "c:1", True),
        ("decode", "", "", "", "", False),
        ("", "where", "", "", "", False),
        ("", "", "", "twitch", "", False),
        ("", "", "", "", "c:2", False),
        ("", "", "", "test", "c:2", False),
    ]:
        assert select(stage, reason, since, source, channel, NOW_MS).holds(one) is holds
    assert not select("", "", "1m", "", "", NOW_MS + 120_000).holds(one)


def test_a_channel_is_told_as_far_as_an_original_can_be_read() -> None:
    """A row by its mapping, a frame by its source alone, broken bytes by nothing."""
    row = letter(b'{"room": "c:2", "source": "twitch"}', form=OriginalForm("object", "channel=room"))
    assert select("", "", "", "twitch", "c:2", NOW_MS).holds(row)
    frame = letter(b"{}", form=OriginalForm("frame", "bluesky"), origin="bluesky:12")
    assert select("", "", "", "bluesky", "", NOW_MS).holds(frame)
    assert not select("", "", "", "bluesky", "c", NOW_MS).holds(frame)
    for broken in (
        letter(b"\xff"),
        letter(b"{", form=OriginalForm("object")),
        letter(b"[1]", form=OriginalForm("object")),
    ):
        assert not select("", "", "", "twitch", "", NOW_MS).holds(broken)
