"""Where a letter comes from."""

from __future__ import annotations

import pytest

from echopulse.dead_letters.letter import STAGES, Letter
from echopulse.dead_letters.origin import advice, told_origin
from echopulse.gateway.original_form import OriginalForm
from tests.echopulse.dead_letters.letters import event, letter


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (letter(event("e"), origin="social.events/3/17"), "record 17 of partition 3 of social.events"),
        (letter(event("e"), origin="social.events"), "an event that Kafka did not take on social.events"),
        (letter(b"{", form=OriginalForm("object"), origin="/data/a:b.jsonl:12"), "line or row 12 of /data/a:b.jsonl"),
        (letter(b"{", form=OriginalForm("frame"), origin="bluesky:9"), "frame 9 of the source bluesky"),
        (letter(b"{", origin=""), "something else that writes to social.dlq"),
    ],
)
def test_an_origin_is_told_in_words(one: Letter, told: str) -> None:
    """As a person would say it."""
    assert told_origin(one) == told


def test_there_is_advice_for_every_stage() -> None:
    """None is left without, and none is told what is meant for others."""
    told = {advice(letter(b"", stage=stage)) for stage in (*STAGES, "unreadable")}
    assert len(told) == len(STAGES) + 1
