"""Logs: JSON in the file, lines on stderr, nothing on stdout."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from echopulse import telemetry

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_file_holds_json_and_stderr_what_matters(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """An info goes to the file alone, a warning to both, neither to stdout."""
    file = tmp_path / "logs" / "job.log"
    telemetry.configure(file)
    telemetry.logger("a.b").info("replayed", events=3)
    logging.getLogger("library").warning("disk at %s %%", 91)
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [(row["event"], row["level"], row["logger"]) for row in rows] == [
        ("replayed", "info", "a.b"),
        ("disk at 91 %", "warning", "library"),
    ]
    assert rows[0]["events"] == 3
    assert rows[0]["timestamp"].endswith("Z")
    out, err = capfd.readouterr()
    assert out == ""
    assert "disk at 91 %" in err
    assert "replayed" not in err


def test_tracebacks_show_no_values(tmp_path: Path) -> None:
    """A logged exception holds its frames and none of their variables."""
    file = tmp_path / "job.log"
    telemetry.configure(file, stderr_level="CRITICAL")
    password = "hush-hush"
    try:
        _ = len(password) / 0
    except ZeroDivisionError:
        telemetry.logger("a").exception("failed")
    text = file.read_text(encoding="utf-8")
    assert "ZeroDivisionError" in text
    assert password not in text


def test_configuring_again_replaces(tmp_path: Path) -> None:
    """Two calls do not write every line twice."""
    first, second = tmp_path / "1.log", tmp_path / "2.log"
    telemetry.configure(first)
    telemetry.configure(second)
    telemetry.logger("a").info("once")
    assert first.read_text(encoding="utf-8") == ""
    assert len(second.read_text(encoding="utf-8").splitlines()) == 1
