"""The live table as text."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from echopulse.cli.live_table import LiveTable, channel_table, headline

DASH = "\N{EN DASH}"
CHANNEL: dict[str, Any] = {
    "channel_id": "ops",
    "message_count": 1_234,
    "distinct_users": 56,
    "toxic_share": 0.25,
    "mean_toxicity": 0.414,
    "sentiment_balance": -0.1,
    "emoji_rate": 0.333,
    "age_s": 4.6,
}
OUTCOME: dict[str, Any] = {
    "events_in": 5_000,
    "analysed": 4_900,
    "events_per_second": 212.4,
    "lag_ms": 1_250,
    "channels": [CHANNEL],
}


def _printed(*, terminal: bool, shows: int) -> str:
    stream = io.StringIO()
    with LiveTable(Console(file=stream, width=100, force_terminal=terminal, color_system=None)) as table:
        for _ in range(shows):
            table.show(OUTCOME)
    return stream.getvalue()


def test_headline() -> None:
    """Rate, lag, counts and the most toxic channel."""
    assert headline(OUTCOME) == (
        "212 events/s  lag 1.2 s  4,900 analysed  100 under way  1 channel with live features  most toxic: ops 0.41"
    )


def test_headline_before_the_first_result() -> None:
    """No lag and no channel yet."""
    start: dict[str, Any] = {"events_in": 0, "analysed": 0, "events_per_second": 0.0, "lag_ms": None, "channels": []}
    assert headline(start) == "0 events/s  lag -  0 analysed  0 under way  0 channels with live features"


def test_what_no_model_scored_is_a_dash() -> None:
    """Not 0, which would be a judgement; and such a channel is never the most toxic one."""
    unscored = CHANNEL | {"channel_id": "tr", "toxic_share": None, "mean_toxicity": None, "sentiment_balance": None}
    console = Console(file=io.StringIO(), width=100, color_system=None, record=True)
    console.print(channel_table([unscored]))
    line = " ".join(console.export_text().splitlines()[2].split())
    assert line == f"tr 1,234 56 {DASH} {DASH} {DASH} 0.33 5 s"
    assert headline(OUTCOME | {"channels": [unscored, CHANNEL]}).endswith("most toxic: ops 0.41")
    assert headline(OUTCOME | {"channels": [unscored]}).endswith("with live features")


def test_channels_are_shown_with_units() -> None:
    """A line a channel, in the order given, a dozen at most."""
    console = Console(file=io.StringIO(), width=100, color_system=None, record=True)
    console.print(channel_table([CHANNEL] + [CHANNEL | {"channel_id": f"c{n}"} for n in range(20)]))
    lines = console.export_text().splitlines()
    assert lines[2].split() == ["ops", "1,234", "56", "25%", "0.41", "-0.10", "0.33", "5", "s"]
    assert len(lines) == 2 + 12


@pytest.mark.parametrize(("shows", "lines"), [(0, 0), (1, 1), (3, 1)])
def test_elsewhere_than_on_a_terminal_it_is_a_line_now_and_then(
    shows: int, lines: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log is not flooded."""
    monkeypatch.setattr("echopulse.cli.live_table._LINE_EVERY_S", 3_600.0)
    monkeypatch.setattr("echopulse.cli.live_table.time.monotonic", lambda: 1e6)
    assert _printed(terminal=False, shows=shows).count("events/s") == lines


def test_on_a_terminal_the_table_stays_at_the_end() -> None:
    """Drawn in place, and left standing."""
    assert "last minute, by mean toxicity" in _printed(terminal=True, shows=2)
