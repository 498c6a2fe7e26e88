"""What is told of a cascade that asks about a share."""

from __future__ import annotations

from bench.asking import figure


def test_a_figure_is_held_against_the_second_model() -> None:
    """By the paired difference and its interval."""
    found = {"value": 71.25, "metric": "macro_recall", "difference": {"value": -1.44, "low": -2.81, "high": 0.06}}
    told = figure("sentiment", 0.3, found)
    assert (told.what, told.runs, told.unit) == ("sentiment, 30 % asked", (71.25,), "macro_recall")
    assert told.against == "-1.4 (-2.8 to +0.1)"
