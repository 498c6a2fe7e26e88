"""The newest letters, and how many there are."""

from __future__ import annotations

from dataclasses import replace

from echopulse.dead_letters.listing import list_waiting
from echopulse.dead_letters.replaying import replay_letters
from echopulse.dead_letters.selection import Selection
from echopulse.gateway.event_time import iso
from tests.echopulse.dead_letters.letters import NOW_MS, content, event, write_letters


def test_all_are_counted_and_the_newest_listed(bootstrap: str) -> None:
    """Those that wait; the replayed ones where they are asked for."""
    letters = [replace(content(event(f"e{number}")), ts=NOW_MS + number, event_id=f"e{number}") for number in range(5)]
    write_letters(bootstrap, *letters, content(b"\xff", stage="decode", reason="unexpected EOF at byte 7"))
    read: list[tuple[int, float]] = []
    listing = list_waiting(
        bootstrap, Selection(), limit=2, on_progress=lambda count, share: read.append((count, share))
    )
    assert (listing.waiting, listing.replayed) == (6, 0)
    assert listing.counts.told() == {"time": {"why": 5}, "decode": {"unexpected EOF at byte …": 1}}
    assert len(listing.newest) == 2
    assert read[-1] == (6, 1.0)

    assert replay_letters(bootstrap, Selection(stage="time"), most_attempts=3).replayed == 5
    listing = list_waiting(bootstrap, Selection(), limit=10)
    assert (listing.waiting, listing.replayed) == (1, 5)
    assert [row.letter.content.stage for row in listing.newest] == ["decode"]
    listing = list_waiting(bootstrap, Selection(stage="time"), limit=10, replayed_too=True)
    assert (listing.waiting, listing.replayed, listing.counts.told()) == (0, 5, {"time": {"why": 5}})
    document = listing.newest[0].document()
    assert document["replayed_at"] is not None
    assert document | {"replayed_at": None, "id": ""} == {
        "id": "",
        "at": iso(NOW_MS + 4),
        "stage": "time",
        "reason": "why",
        "origin": "social.events/0/7",
        "event_id": "e4",
        "source": "test",
        "channel": "c:1",
        "attempts": 0,
        "replayed_at": None,
    }
