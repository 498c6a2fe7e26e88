"""Replays against a broker in the process; tests/system/test_dlq.py kills them in the middle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from echopulse.dead_letters import replaying
from echopulse.dead_letters.history import read_history
from echopulse.dead_letters.reading import read_letters, span
from echopulse.dead_letters.replaying import ReplayOutcome, ReplayProgress, replay_letters
from echopulse.dead_letters.selection import Selection
from tests.echopulse.dead_letters.letters import NOW_MS, content, event, write_letters

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.echopulse.dead_letters.conftest import Replayed


def _replay(
    bootstrap: str, selection: Selection | None = None, *, attempts: int = 3, dry_run: bool = False
) -> ReplayOutcome:
    return replay_letters(bootstrap, selection or Selection(), most_attempts=attempts, dry_run=dry_run)


def test_letters_become_events_again_once(bootstrap: str, events_of: Callable[[str], list[Replayed]]) -> None:
    """With their own time, key and bytes; what cannot be mended stays and is named."""
    events = [event(f"e{number}", ts_ms=NOW_MS - number, channel=f"c:{number}") for number in range(3)]
    write_letters(bootstrap, *(content(each) for each in events), content(b"\xff", stage="decode"))
    planned = _replay(bootstrap, dry_run=True)
    assert (planned.dry_run, planned.replayed, planned.still_failing) == (True, 3, 1)
    assert events_of(bootstrap) == []

    outcome = _replay(bootstrap)
    assert (outcome.replayed, outcome.still_failing, outcome.done_before) == (3, 1, 0)
    assert (outcome.first_ts_ms, outcome.last_ts_ms) == (NOW_MS - 2, NOW_MS)
    assert outcome.reasons == {"decode": {"failed to decode Protobuf message: unexpected EOF in varint": 1}}
    (example,) = outcome.examples
    assert example["stage"] == "decode"
    found = {one.event_id: one for one in events_of(bootstrap)}
    assert len(found) == 3
    for number, original in enumerate(events):
        one = found[f"e{number}"]
        assert (one.key, one.value, one.ts_ms) == (f"c:{number}".encode(), original, NOW_MS - number)
        assert one.headers["replay-attempt"] == b"1"

    again = _replay(bootstrap)
    assert (again.replayed, again.still_failing, again.done_before) == (0, 1, 3)
    assert len(events_of(bootstrap)) == 3


def test_only_letters_that_are_meant_are_replayed(bootstrap: str, events_of: Callable[[str], list[Replayed]]) -> None:
    """In any order: the others wait for their own replay."""
    write_letters(
        bootstrap, content(event("a"), stage="time"), content(event("b"), stage="analyse"), content(event("c"))
    )
    assert _replay(bootstrap, Selection(stage="analyse")).replayed == 1
    assert [one.event_id for one in events_of(bootstrap)] == ["b"]
    outcome = _replay(bootstrap)
    assert (outcome.replayed, outcome.done_before) == (2, 1)
    assert sorted(one.event_id for one in events_of(bootstrap)) == ["a", "b", "c"]


def test_an_event_that_fails_again_and_again_stays(bootstrap: str, events_of: Callable[[str], list[Replayed]]) -> None:
    """Each failure is a letter of its own, with the place that the replay gave it as its origin."""
    origin = "social.events/0/7"
    for attempt in (1, 2):
        write_letters(bootstrap, content(event("e"), stage="analyse", origin=origin))
        outcome = _replay(bootstrap, attempts=2)
        assert (outcome.replayed, outcome.given_up) == (1, 0)
        one = events_of(bootstrap)[-1]
        assert one.headers["replay-attempt"] == str(attempt).encode()
        letters = [each for batch in read_letters(bootstrap, *span(bootstrap, None)) for each in batch]
        replayed = read_history(bootstrap).replayed(letters[-1])
        assert replayed is not None
        assert replayed.first == str(letters[0].id) == one.headers["replay-of"].decode()
        origin = replayed.destination
    write_letters(bootstrap, content(event("e"), stage="analyse", origin=origin))
    outcome = _replay(bootstrap, attempts=2)
    assert (outcome.replayed, outcome.given_up, outcome.done_before) == (0, 1, 2)
    assert _replay(bootstrap, attempts=3).replayed == 1


def test_batches_are_bounded_and_progress_is_told(
    bootstrap: str, events_of: Callable[[str], list[Replayed]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By number and by bytes."""
    monkeypatch.setattr(replaying, "_BATCH_LETTERS", 4)
    monkeypatch.setattr(replaying, "_BATCH_BYTES", 400)
    write_letters(bootstrap, *(content(event(f"e{number}", raw=b'{"text": "%d"}' % number)) for number in range(10)))
    told: list[ReplayProgress] = []
    replay_letters(bootstrap, Selection(), most_attempts=3, on_progress=told.append)
    assert len(told) >= 3
    assert told[-1] == (10, 0, 1.0)
    assert len(events_of(bootstrap)) == 10
