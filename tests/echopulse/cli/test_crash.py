"""Tracebacks of unexpected errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from echopulse.cli.crash import keep_traceback

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def _error() -> ZeroDivisionError:
    try:
        _ = 1 / 0
    except ZeroDivisionError as error:
        return error
    raise AssertionError


def test_traceback_is_kept_under_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file lies with the other logs and holds the traceback."""
    monkeypatch.setenv("ECHOPULSE_HOME", str(tmp_path / "home"))
    file = keep_traceback(_error())
    assert file.parent == tmp_path / "home" / "logs"
    assert "ZeroDivisionError: division by zero" in file.read_text(encoding="utf-8")


def test_unwritable_home_is_no_second_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the home cannot be made, the temporary folder serves."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("ECHOPULSE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert keep_traceback(_error()).parent == tmp_path
