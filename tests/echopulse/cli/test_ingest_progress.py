"""Progress on stderr."""

from __future__ import annotations

import io
import sys

import pytest

from echopulse.cli import progress_bar as module
from echopulse.cli.ingest_progress import ingest_progress
from echopulse.gateway.replay import Progress


class _Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def _drawn(monkeypatch: pytest.MonkeyPatch, stderr: io.StringIO, *steps: Progress) -> str:
    monkeypatch.setattr(sys, "stderr", stderr)
    with ingest_progress("chat.jsonl") as on_progress:
        for step in steps:
            on_progress(step)
    return stderr.getvalue()


def test_nothing_is_drawn_without_a_terminal_or_for_short_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pipes and quick runs stay clean."""
    assert _drawn(monkeypatch, io.StringIO(), Progress(5, 0, 0.5)) == ""
    assert _drawn(monkeypatch, _Terminal(), Progress(5, 0, 0.5)) == ""


@pytest.mark.parametrize("share", [0.5, 0.0])
def test_long_work_shows_how_far_it_is(monkeypatch: pytest.MonkeyPatch, share: float) -> None:
    """Also where the end is not known."""
    monkeypatch.setattr(module, "SHOWN_AFTER_S", 0.0)
    monkeypatch.setattr(module, "REDRAWN_EVERY_S", 0.0)
    drawn = _drawn(monkeypatch, _Terminal(), Progress(1234, 2, share))
    assert "chat.jsonl" in drawn
    assert "1,234 events, 2 dead letters" in drawn
