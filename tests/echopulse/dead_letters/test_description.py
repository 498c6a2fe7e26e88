"""Everything of one letter."""

from __future__ import annotations

from echopulse.dead_letters.description import describe
from echopulse.dead_letters.reading import read_letters, span
from echopulse.dead_letters.replaying import replay_letters
from echopulse.dead_letters.selection import Selection
from tests.echopulse.dead_letters.letters import content, event, write_letters


def test_a_letter_is_told_with_what_a_replay_would_come_to(bootstrap: str) -> None:
    """Before it, after it, and for one that stays."""
    write_letters(bootstrap, content(event("good")), content(event("late", ts_ms=0)))
    good, late = [each.id for batch in read_letters(bootstrap, *span(bootstrap, None)) for each in batch]
    document = describe(bootstrap, good)
    original = event("good")
    assert (document["id"], document["form"], document["attempts"]) == (str(good), "event", 0)
    assert (document["bytes"], bytes.fromhex(document["hex"])) == (len(original), original)
    assert document["decoded"]["id"] == "good"
    assert document["origin_told"] == "record 7 of partition 0 of social.events"
    assert document["outlook"] == "A replay would bring it to the analysis."
    assert document["first"] == str(good)
    assert describe(bootstrap, late)["outlook"] == (
        "A replay would fail again, at stage time: ts 1970-01-01T00:00:00.000Z is not between 1990 and 2100."
    )
    replay_letters(bootstrap, Selection(), most_attempts=3)
    assert describe(bootstrap, good)["outlook"].startswith("It was replayed at 20")
