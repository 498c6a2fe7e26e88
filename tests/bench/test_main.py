from __future__ import annotations

from pathlib import Path

import pytest

from bench.__main__ import BENCHES, arguments, report_path


def test_only_a_full_run_replaces_the_results() -> None:
    """A smaller or partial run writes where it is told to, or nowhere."""
    assert report_path(arguments([])) is not None
    assert report_path(arguments(list(BENCHES))) == report_path(arguments([]))
    assert report_path(arguments(["e2e"])) is None
    assert report_path(arguments(["soak"])) is None
    assert report_path(arguments(["--events", "10"])) is None
    assert report_path(arguments(["e2e", "--output", "out.md"])) == Path("out.md")


@pytest.mark.parametrize("argv", [["end"], ["--events", "0"], ["--event", "1"], ["soak", "--minutes", "0"]])
def test_a_wrong_command_line_ends_with_2(argv: list[str]) -> None:
    """As every command does."""
    with pytest.raises(SystemExit) as ended:
        arguments(argv)
    assert ended.value.code == 2
