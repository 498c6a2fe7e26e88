"""How far an ingest is, on a terminal's stderr, once it lasts."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from echopulse.gateway.replay import Progress

#: Shorter work needs no bar.
_SHOWN_AFTER_S = 2.0
_REDRAWN_EVERY_S = 0.1


@contextmanager
def ingest_progress(name: str) -> Iterator[Callable[[Progress], None]]:
    """Yield a function that takes progress and draws it; it draws nothing where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Display

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[done]}"), TimeRemainingColumn())
    display = Display(*columns, console=Console(stderr=True), transient=True)
    task = display.add_task(name, total=1.0, done="")
    began = drawn = time.monotonic()

    def draw(progress: Progress) -> None:
        nonlocal drawn
        now = time.monotonic()
        if now - began < _SHOWN_AFTER_S or now - drawn < _REDRAWN_EVERY_S:
            return
        drawn = now
        letters = f", {progress.dead_letters:,} dead letters" if progress.dead_letters else ""
        share = progress.share or None
        display.update(
            task, completed=share or 0.0, total=1.0 if share else None, done=f"{progress.events:,} events{letters}"
        )
        display.start()

    try:
        yield draw
    finally:
        if display.live.is_started:
            display.stop()
