"""The sources of the gateway as a table on a terminal, or each in a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from echopulse.cli.output import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from echopulse.gateway.source_figures import SourceFigures

_COLUMNS = (
    "source",
    "state",
    "events/s",
    "queue",
    "queue MB",
    "spool MB",
    "dropped",
    "reconnects",
    "gaps",
    "lag s",
    "",
)
_MEGABYTE = 1_000_000


def source_table(figures: Mapping[str, SourceFigures], before: Mapping[str, int], passed_s: float) -> Table:
    """Return a row a source; `before` are the events delivered `passed_s` seconds ago."""
    table = Table(*_COLUMNS, box=None, pad_edge=False)
    for name, of in figures.items():
        rate = (of.delivered - before.get(name, 0)) / passed_s if passed_s else 0.0
        drops = _drops(of)
        sizes = (f"{of.queue_bytes / _MEGABYTE:,.1f}", f"{of.spool_bytes / _MEGABYTE:,.1f}")
        lag = f"{of.last_lag_s:,.2f}"
        table.add_row(
            *(name, of.state, f"{rate:,.0f}", f"{of.queue_events:,}", *sizes, drops),
            *(f"{of.reconnects:,}", f"{of.gaps:,}", lag, of.trouble[:60]),
        )
    return table


def source_line(name: str, of: SourceFigures, rate: float) -> str:
    """Return a source in a line; `rate` in events a second."""
    line = (
        f"{name}: {of.state}, {rate:,.0f} events/s, {of.delivered:,} in Kafka, {of.queue_events:,} in the queue, "
        f"{of.spool_bytes / _MEGABYTE:,.1f} MB in the spool, dropped {_drops(of)}, "
        f"{counted(of.reconnects, 'reconnect')}, {counted(of.gaps, 'gap')}, lag {of.last_lag_s:,.2f} s"
    )
    return f"{line}; {of.trouble}" if of.trouble else line


def _drops(of: SourceFigures) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in sorted(of.dropped.items())) or "0"
