"""Steps of a job, told when the services' table stands."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

from rich.console import Console

from echopulse.cli.steps import redrawn_steps, step, steps_after
from echopulse.stack.display import progress

if TYPE_CHECKING:
    import pytest


def test_a_step_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, as it is."""
    step("planning [the] job")
    assert capsys.readouterr() == ("", "planning [the] job\n")


def test_the_table_rests_before_a_step(capsys: pytest.CaptureFixture[str]) -> None:
    """From then on nothing redraws the terminal but what follows."""
    out = io.StringIO()
    with progress(Console(file=out, force_terminal=True, color_system=None)) as shown:
        assert "\x1b[?25l" in out.getvalue()
        assert "\x1b[?25h" not in out.getvalue()
        steps_after(shown)("planning")
        assert out.getvalue().count("\x1b[?25h") == 1
    assert out.getvalue().count("\x1b[?25h") == 1
    assert capsys.readouterr().err == "planning\n"


def test_fast_steps_are_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """One for all partitions of a table, and one for a step that comes again after another."""
    with redrawn_steps() as on_step:
        for line in ("a/date=1/hour=0", "a/date=1/hour=1", "b/date=1/hour=0", "day [x]", "day [x]", "a/date=2/hour=0"):
            on_step(line)
    assert capsys.readouterr() == ("", "a\nb\nday [x]\na\n")


def test_fast_steps_are_one_line_of_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """With brackets as they are; the line is gone at the end."""
    out = io.StringIO()
    monkeypatch.setattr(out, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", out)
    monkeypatch.setenv("TERM", "xterm")
    with redrawn_steps() as on_step:
        on_step("a/date=1/hour=0")
        on_step("day [red]")
    assert "day [red]" in out.getvalue()
    assert out.getvalue().endswith("\x1b[?25h\r\x1b[1A\x1b[2K")
