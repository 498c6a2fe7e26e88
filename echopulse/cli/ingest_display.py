"""What the sources do, while they do it: a table on a terminal, a line now and then elsewhere; always on stderr."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from echopulse.gateway.source_figures import SourceFigures

    Figures = Callable[[], Mapping[str, SourceFigures]]

_REDRAWN_EVERY_S = 1.0
_LINE_EVERY_S = 10.0


async def show(figures: Figures) -> None:
    """Show them until it is cancelled."""
    with suppress(asyncio.CancelledError):
        await (_draw(figures) if sys.stderr.isatty() else _tell(figures))


async def _draw(figures: Figures) -> None:
    from rich.console import Console
    from rich.live import Live

    from echopulse.cli.ingest_table import source_table

    before: dict[str, int] = {}
    at = time.monotonic()
    with Live(console=Console(stderr=True), auto_refresh=False, transient=True) as live:
        while True:
            await asyncio.sleep(_REDRAWN_EVERY_S)
            found, now = figures(), time.monotonic()
            live.update(source_table(found, before, now - at), refresh=True)
            before, at = {name: of.delivered for name, of in found.items()}, now


async def _tell(figures: Figures) -> None:
    from echopulse.cli.ingest_table import source_line

    before: dict[str, int] = {}
    while True:
        await asyncio.sleep(_LINE_EVERY_S)
        found = figures()
        for name, of in found.items():
            sys.stderr.write(source_line(name, of, (of.delivered - before.get(name, 0)) / _LINE_EVERY_S) + "\n")
        sys.stderr.flush()
        before = {name: of.delivered for name, of in found.items()}
