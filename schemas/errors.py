"""The one error type that a person can mend, told in one line."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


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


def did_you_mean(value: str, known: Iterable[str]) -> str:
    """Return "did you mean 'x'?" for the nearest known name, or the list of known names where none is near."""
    names = sorted(known)
    near = difflib.get_close_matches(value, names, n=1)
    return f"did you mean '{near[0]}'?" if near else f"known: {', '.join(names)}"
