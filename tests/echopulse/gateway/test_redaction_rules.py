"""The rules of a configuration."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from echopulse.gateway.redaction_rules import EMAIL, PHONE, Redact, Rule


def test_nothing_is_taken_out_unasked() -> None:
    """And a key is not shown."""
    assert Redact() == Redact(users=None, user_keys=[], email=False, phone=False, rules=[])
    assert "secret" not in repr(Redact.model_validate({"users": "secret"}))


def test_a_bad_pattern_is_refused() -> None:
    """As RE2 says, which has no way back."""
    with pytest.raises(ValidationError, match="not a pattern of RE2: Invalid regular expression: invalid escape"):
        Rule(pattern=r"(a)\1", replacement="")


@pytest.mark.parametrize(
    ("pattern", "found", "passed"),
    [
        (EMAIL, ["ada@example.org", "a.b+c@mail.example.co.uk"], ["@ada", "ada@localhost", "a @ b.c"]),
        (
            PHONE,
            ["+49 30 1234567", "(030) 123-4567", "555 123 4567"],
            ["1 000 000", "12-3456", "19.99", "12:00:00.123-0500"],
        ),
    ],
)
def test_patterns(pattern: str, found: list[str], passed: list[str]) -> None:
    """What is an address or a number, and what looks like one."""
    assert [text for text in (*found, *passed) if re.search(pattern, text)] == found
