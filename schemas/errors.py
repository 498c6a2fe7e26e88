"""The one error type that a person can mend, told in one line."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


#: A new name that is as near as this to a known one is taken for a misspelling of it.
MISSPELT = 0.85


class EchoPulseError(Exception):
    """Something a person can mend: what is wrong, with which value, and where to mend it.

    The command line prints it as one line on stderr and exits 1.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        """Keep the message and, where there is one, the hint that follows it in the same line."""
        super().__init__(f"{message} ({hint})" if hint else message)
        self.message = message
        self.hint = hint


class UsageError(EchoPulseError):
    """The command was called wrongly; the command line exits 2."""


def near(value: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """Return the nearest known name that is at least so alike (0 to 1, difflib's ratio), None where there is none."""
    return next(iter(difflib.get_close_matches(value, known, n=1, cutoff=likeness)), None)


def did_you_mean(value: str, known: Iterable[str]) -> str:
    """Return "did you mean 'x'?" for the nearest known name, or the list of known names where none is near."""
    names = sorted(known)
    nearest = near(value, names)
    return f"did you mean '{nearest}'?" if nearest else f"known: {', '.join(names)}"
