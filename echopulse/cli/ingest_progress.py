"""How far an ingest is, on a terminal's stderr, once it lasts."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from echopulse.cli.output import counted
from echopulse.cli.progress_bar import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from echopulse.gateway.replay import Progress


@contextmanager
def ingest_progress(name: str) -> Iterator[Callable[[Progress], None]]:
    """Yield a function that takes progress and draws it; it draws nothing where stderr is no terminal."""
    with progress_bar(name) as draw:

        def told(progress: Progress) -> None:
            letters = f", {counted(progress.dead_letters, 'dead letter')}" if progress.dead_letters else ""
            draw(progress.share, f"{counted(progress.events, 'event')}{letters}")

        yield told
