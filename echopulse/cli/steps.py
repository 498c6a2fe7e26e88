"""The steps of a job that starts, a line each on stderr, once the services' table has come to rest."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from echopulse.stack.display import Shown


def step(line: str) -> None:
    """Tell a step."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def steps_after(shown: Shown) -> Callable[[str], None]:
    """Return what tells steps that follow the start of the services: their table is not redrawn any more."""

    def told(line: str) -> None:
        shown.rest()
        step(line)

    return told
