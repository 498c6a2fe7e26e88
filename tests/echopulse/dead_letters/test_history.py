"""What was replayed before."""

from __future__ import annotations

from echopulse.dead_letters.history import History
from schemas.avro import LetterReplay, decode_letter_replay, encode_letter_replay
from tests.echopulse.dead_letters.letters import event, letter


def test_an_event_that_fails_again_is_known_by_where_the_replay_put_it() -> None:
    """Each attempt counts, and the first letter is remembered."""
    history = History([LetterReplay("social.dlq-0-1", "social.dlq-0-1", 1, "sent", "social.events/2/9", 5)])
    first, again = letter(event("e"), 1), letter(event("e"), 4, origin="social.events/2/9")
    replayed = history.replayed(first)
    assert replayed is not None
    assert replayed.destination == "social.events/2/9"
    assert history.past(first) == (0, "social.dlq-0-1")
    assert history.replayed(again) is None
    assert history.past(again) == (1, "social.dlq-0-1")
    history.add(LetterReplay("social.dlq-0-4", "social.dlq-0-1", 2, "sent", "social.events/2/12", 6))
    assert history.past(letter(event("e"), 7, origin="social.events/2/12")) == (2, "social.dlq-0-1")
    assert history.letters == ["social.dlq-0-1", "social.dlq-0-4"]


def test_a_frame_that_was_left_out_has_no_destination() -> None:
    """And leads to no other letter."""
    history = History([LetterReplay("social.dlq-0-1", "social.dlq-0-1", 1, "filtered", "", 5)])
    assert history.past(letter(b"", 2, origin="")) == (0, "social.dlq-0-2")


def test_a_replay_comes_back_whole() -> None:
    """Through Avro."""
    one = LetterReplay("social.dlq-0-4", "social.dlq-0-1", 2, "sent", "social.events/2/12", 1_700_000_000_123)
    assert decode_letter_replay(encode_letter_replay(one)) == one
