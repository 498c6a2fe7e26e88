"""Python operators counted in a plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from echopulse.job.plan import python_calls

_PLAN = (Path(__file__).parent / "golden" / "plan.txt").read_text(encoding="utf-8")


def test_only_the_executed_plan_counts() -> None:
    """Earlier sections repeat the analysis for each sink; what runs has it once."""
    before_reuse = _PLAN.partition("== Optimized Execution Plan ==")[0]
    assert before_reuse.count("analyse(") > 1
    assert python_calls(_PLAN) == {"analyse": 1, "write_channel_1m": 1}


def test_a_second_call_in_another_operator_is_seen() -> None:
    """Two operators that analyse are two."""
    line = next(line for line in _PLAN.splitlines() if "PythonCalc" in line and line.startswith("+-"))
    assert python_calls(f"== Optimized Execution Plan ==\n{line}\n   {line}\n")["analyse"] == 2


def test_sections_that_follow_are_left_out() -> None:
    """A job's JSON after the plan does not count."""
    assert python_calls(f"{_PLAN}\n== Physical Execution Plan ==\n+- PythonCalc(select=[analyse(x)])\n")["analyse"] == 1


def test_text_without_a_plan_is_refused() -> None:
    """A count of nothing would look like a job without Python."""
    with pytest.raises(ValueError, match="Optimized Execution Plan"):
        python_calls("== Abstract Syntax Tree ==\n")
