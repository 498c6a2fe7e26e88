"""Minutes of conversations that are computed after their end hold the panes of the minute."""

from __future__ import annotations

import pytest

from features.machinery.silence import LATER_MS
from pipelines.crowd import conversations_view

MINUTE_MS = 60_000


@pytest.mark.parametrize("pane_ms", [each for each in range(1_000, MINUTE_MS + 1, 1_000) if MINUTE_MS % each == 0])
def test_a_minute_holds_its_own_panes(pane_ms: int) -> None:
    """However long they are: the time of a pane is the last ms in it, and a minute that is moved begins before it."""
    view = conversations_view(pane_ms)
    later_ms = LATER_MS if "00:00:05.000" in view else 0
    assert view.count("INTERVAL '0 00:00:05.000'") == (2 if later_ms else 0)
    times = [MINUTE_MS + end - 1 for end in range(pane_ms, MINUTE_MS + 1, pane_ms)]
    assert {(time - later_ms) // MINUTE_MS for time in times} == {1}


def test_the_usual_pane_is_long_enough_to_wait() -> None:
    """Ten seconds: conversations come when the windows of users are written."""
    assert "INTERVAL '0 00:00:05.000'" in conversations_view(10_000)
    assert "INTERVAL '0 00:00:05.000'" not in conversations_view(5_000)
