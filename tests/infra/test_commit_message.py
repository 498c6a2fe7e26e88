"""Conventional Commits."""

from __future__ import annotations

import pytest

from infra.commit_message import complaint


@pytest.mark.parametrize(
    "message",
    [
        "feat(ingest): replay CSV\n\nWhy.\n",
        "fix!: drop a field",
        "docs: say how\n# a comment of git's\n",
        "build(deps, lock): move",
        "Merge branch 'x'",
        'Revert "feat: y"',
        "fixup! feat: y",
    ],
)
def test_good(message: str) -> None:
    """What the convention and git themselves write."""
    assert complaint(message) == ""


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("", "'' is not 'type(scope): what it does'"),
        ("Add replay", "'Add replay' is not"),
        ("feature: x", "types: feat, fix"),
        ("feat:x", "is not"),
        ("feat(): x", "is not"),
        ("feat: x\nbody at once", "an empty line is missing"),
        ("feat: " + "x" * 120, "126 characters, 120 are allowed"),
    ],
)
def test_bad(message: str, said: str) -> None:
    """The complaint names what is wrong."""
    assert said in complaint(message)
