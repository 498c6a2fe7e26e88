"""The id of a dead letter."""

from __future__ import annotations

import pytest

from echopulse.dead_letters.letter import LetterId
from schemas.errors import UsageError
from tests.echopulse.dead_letters.letters import event, letter


def test_an_id_reads_as_it_is_written() -> None:
    """With its topic or without."""
    assert str(LetterId(0, 17)) == "social.dlq-0-17"
    assert LetterId.parse("social.dlq-0-17") == LetterId.parse("0-17") == LetterId(0, 17)


@pytest.mark.parametrize("text", ["", "17", "social.events-0-17", "0-x", "social.dlq-0-17-1"])
def test_what_is_no_id_is_told(text: str) -> None:
    """With an example."""
    with pytest.raises(UsageError) as raised:
        LetterId.parse(text)
    assert str(raised.value) == (
        f"'{text}' is not the id of a dead letter (like social.dlq-0-17; `echopulse dlq ls` has them)"
    )


def test_an_original_is_an_event_where_it_was_on_kafka_or_on_its_way() -> None:
    """Its origin says so."""
    assert letter(event("e")).is_event
    assert letter(event("e"), origin="social.events").is_event
    assert not letter(b"{}", origin="social.events.jsonl:3").is_event
