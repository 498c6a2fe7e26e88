"""The sources of the gateway as a table on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from echopulse.gateway.source_figures import SourceFigures

_COLUMNS = ("source", "state", "events/s", "queue", "queue MB", "spool MB", "dropped", "reconnects", "lag s", "")
_MEGABYTE = 1_000_000


def source_table(figures: Mapping[str, SourceFigures], before: Mapping[str, int], passed_s: float) -> Table:
    """Return a row a source; `before` are the events delivered `passed_s` seconds ago."""
    table = Table(*_COLUMNS, box=None, pad_edge=False)
    for name, of in figures.items():
        rate = (of.delivered - before.get(name, 0)) / passed_s if passed_s else 0.0
        drops = ", ".join(f"{reason} {count:,}" for reason, count in sorted(of.dropped.items())) or "0"
        sizes = (f"{of.queue_bytes / _MEGABYTE:,.1f}", f"{of.spool_bytes / _MEGABYTE:,.1f}")
        lag = f"{of.last_lag_s:,.2f}"
        table.add_row(
            *(name, of.state, f"{rate:,.0f}", f"{of.queue_events:,}", *sizes, drops),
            *(f"{of.reconnects:,}", lag, of.trouble[:60]),
        )
    return table
