"""The steps of a job on stderr: a line each, or one line of a terminal that is redrawn."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


@contextmanager
def redrawn_steps() -> Iterator[Callable[[str], None]]:
    """Yield what tells steps that follow one another fast: in one line of a terminal, which goes at the end.

    Elsewhere each is a line; of a table's partitions (`TABLE/date=…/hour=…`) the first stands for all.
    """
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.text import Text

        with Console(stderr=True).status("beginning") as status:
            yield lambda what: status.update(Text(what))
        return
    newest = ""

    def line(what: str) -> None:
        nonlocal newest
        about = what.partition("/date=")[0]
        if about != newest:
            newest = about
            step(about)

    yield line
