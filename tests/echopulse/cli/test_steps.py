"""Steps of a job, told when the services' table stands."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console

from echopulse.cli.steps import step, steps_after
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
