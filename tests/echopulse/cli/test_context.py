"""The options of every command."""

from __future__ import annotations

from pathlib import Path

import pytest
from cyclopts import App

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from schemas.errors import EchoPulseError


def _parse(*tokens: str) -> GlobalOptions:
    app = App(result_action="return_value")

    @app.default
    def command(*, options: GlobalOptions = NO_OPTIONS) -> GlobalOptions:
        return options

    result: GlobalOptions = app(tokens, exit_on_error=False)
    return result


def test_flags_reach_the_command() -> None:
    """Both options, one, or none."""
    assert _parse() == GlobalOptions(json=False, config=None)
    assert _parse("--json", "--config", "a.yaml") == GlobalOptions(json=True, config=Path("a.yaml"))


def test_settings_are_those_of_the_file(tmp_path: Path) -> None:
    """--config names what is read."""
    (tmp_path / "a.yaml").write_text("flink: {parallelism: 5}", encoding="utf-8")
    assert _parse("--config", str(tmp_path / "a.yaml")).settings().flink.parallelism == 5
    with pytest.raises(EchoPulseError, match="no such settings file"):
        _parse("--config", str(tmp_path / "b.yaml")).settings()
