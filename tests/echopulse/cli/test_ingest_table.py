"""What is shown of the sources: a row each on a terminal, a line each elsewhere."""

from __future__ import annotations

from collections import Counter

from rich.console import Console

from echopulse.cli.ingest_table import source_line, source_table
from echopulse.gateway.source_figures import SourceFigures

_FIGURES = SourceFigures(
    state="waiting",
    trouble="the server answered 503 Service Unavailable",
    delivered=12_000,
    queue_events=7,
    queue_bytes=1_500_000,
    spool_bytes=2_000_000,
    dropped=Counter({"rate": 3, "channel": 1_200}),
    reconnects=4,
    gaps=2,
    last_lag_s=0.25,
)


def test_a_line_tells_all() -> None:
    """And the trouble, where there is any."""
    assert source_line("chat", _FIGURES, 1_234.4) == (
        "chat: waiting, 1,234 events/s, 12,000 in Kafka, 7 in the queue, 2.0 MB in the spool, dropped channel 1,200, "
        "rate 3, 4 reconnects, 2 gaps, lag 0.25 s; the server answered 503 Service Unavailable"
    )
    assert source_line("chat", SourceFigures(), 0.0) == (
        "chat: starting, 0 events/s, 0 in Kafka, 0 in the queue, 0.0 MB in the spool, dropped 0, 0 reconnects, "
        "0 gaps, lag 0.00 s"
    )


def test_a_row_tells_all() -> None:
    """The rate is what came since the last drawing."""
    console = Console(width=200)
    with console.capture() as shown:
        console.print(source_table({"chat": _FIGURES}, {"chat": 10_000}, 2.0))
    row = shown.get().splitlines()[1].split("  ")
    assert [cell.strip() for cell in row if cell.strip()] == [
        *("chat", "waiting", "1,000", "7", "1.5", "2.0", "channel 1,200, rate 3", "4", "2", "0.25"),
        "the server answered 503 Service Unavailable",
    ]
