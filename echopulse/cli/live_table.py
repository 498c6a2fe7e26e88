"""The live table: redrawn in place on a terminal, a line now and then elsewhere; always on stderr."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from echopulse.cli.output import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

_LINE_EVERY_S = 5.0
_CHANNELS_SHOWN = 12


class LiveTable:
    """Shows outcomes as they come; use it in a `with` block."""

    def __init__(self, console: Console | None = None) -> None:
        """Draw on `console`, stderr by default."""
        self._console = console or Console(stderr=True)
        self._live = Live(console=self._console, auto_refresh=False) if self._console.is_terminal else None
        self._last_line = 0.0

    def __enter__(self) -> Self:
        """Take the terminal."""
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the last table standing."""
        if self._live is not None:
            self._live.stop()

    def show(self, outcome: Mapping[str, Any]) -> None:
        """Draw one moment: the pulse, then the channels, most toxic first."""
        if self._live is not None:
            self._live.update(Group(Text(headline(outcome)), channel_table(outcome["channels"])), refresh=True)
        elif time.monotonic() - self._last_line >= _LINE_EVERY_S:
            self._last_line = time.monotonic()
            self._console.print(headline(outcome), highlight=False, soft_wrap=True)


def headline(outcome: Mapping[str, Any]) -> str:
    """Return the pulse in a line."""
    lag = "-" if outcome["lag_ms"] is None else f"{outcome['lag_ms'] / 1000:.1f} s"
    behind = outcome["events_in"] - outcome["analysed"]
    line = (
        f"{outcome['events_per_second']:,.0f} events/s  lag {lag}  {outcome['analysed']:,} analysed  "
        f"{behind:,} under way  {counted(len(outcome['channels']), 'channel')} with live features"
    )
    worst = next((row for row in outcome["channels"] if row["mean_toxicity"] is not None), None)
    if worst:
        line += f"  most toxic: {worst['channel_id']} {worst['mean_toxicity']:.2f}"
    return line


def channel_table(channels: list[dict[str, Any]]) -> Table:
    """Return the channels' features over the last minute, as Feast reads them back."""
    table = Table(
        box=None, pad_edge=False, title="last minute, by mean toxicity (read through Feast)", title_justify="left"
    )
    for title in ("channel", "messages", "users", "toxic", "toxicity", "sentiment", "emoji", "age"):
        table.add_column(title, justify="left" if title == "channel" else "right")
    for row in channels[:_CHANNELS_SHOWN]:
        table.add_row(
            row["channel_id"],
            f"{row['message_count']:,}",
            f"{row['distinct_users']:,}",
            _shown(row["toxic_share"], ".0%"),
            _shown(row["mean_toxicity"], ".2f"),
            _shown(row["sentiment_balance"], "+.2f"),
            _shown(row["emoji_rate"], ".2f"),
            f"{row['age_s']:.0f} s",
        )
    return table


def _shown(value: float | None, form: str) -> str:
    """Write a number, or a dash where there is none: of texts that no model scored, or of a silent channel."""
    return "\N{EN DASH}" if value is None else format(value, form)
