"""A bar on a terminal's stderr for work that lasts."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Draw = Callable[[float, str], None]

#: Shorter work needs no bar.
SHOWN_AFTER_S = 2.0
REDRAWN_EVERY_S = 0.1


@contextmanager
def progress_bar(name: str) -> Iterator[Draw]:
    """Yield a function that draws a share (0 to 1; 0: not known) and a text; nothing where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _share, _done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[done]}"), TimeRemainingColumn())
    display = Progress(*columns, console=Console(stderr=True), transient=True)
    task = display.add_task(name, total=1.0, done="")
    began = drawn = time.monotonic()

    def draw(share: float, done: str) -> None:
        nonlocal drawn
        now = time.monotonic()
        if now - began < SHOWN_AFTER_S or now - drawn < REDRAWN_EVERY_S:
            return
        drawn = now
        display.update(task, completed=share, total=1.0 if share else None, done=done)
        display.start()

    try:
        yield draw
    finally:
        if display.live.is_started:
            display.stop()
