"""The packaged words: every template of every language can be filled."""

from __future__ import annotations

import orjson
import pytest

from echopulse.gateway.simulator_texts import REGISTERS
from echopulse.gateway.vocabulary import TAIL_SLOTS, TEMPLATE_SLOTS, json_escaped, parse_template, vocabulary
from schemas.errors import EchoPulseError

_SCENARIO_SLOTS = {"entity", "hashtag", "mention", "number", "target", "trend", "link"}


@pytest.mark.parametrize("language", ["en", "es", "de", "fr"])
def test_every_template_can_be_filled(language: str) -> None:
    """All slots are known, all registers have templates and tails."""
    words = vocabulary(language)
    known = set(words.words) | _SCENARIO_SLOTS

    for register in REGISTERS[:8]:
        for text in words.templates[register]:
            parse_template(text, known, TEMPLATE_SLOTS)
        for text in words.tails[register]:
            parse_template(text, known, TAIL_SLOTS)


def test_a_template_is_split_at_its_slots() -> None:
    """One part more than slots, padded with empty ones."""
    template = parse_template('say "{a}" {b}', {"a", "b"}, 3)

    assert template.parts == ('say \\"', '\\" ', "", "")
    assert template.slots == ("a", "b", "")


def test_an_unknown_slot_is_named() -> None:
    """The near miss is told."""
    with pytest.raises(EchoPulseError, match=r"no word list for its slot \{entitty\} \(did you mean 'entity'\?\)"):
        parse_template("{entitty}", {"entity", "emoji"}, 3)


def test_too_many_slots_are_refused() -> None:
    """The composing kernel has a fixed number of columns."""
    with pytest.raises(EchoPulseError, match="has 2 slots, at most 1"):
        parse_template("{a}{a}", {"a"}, 1)


@pytest.mark.parametrize("text", ['"', "\\", "a\nb", "¯\\_(ツ)_/¯", "\u2028", ""])
def test_escaped_text_stands_in_json(text: str) -> None:
    """Quotes, backslashes and line ends survive."""
    assert orjson.loads(f'"{json_escaped(text)}"') == text
