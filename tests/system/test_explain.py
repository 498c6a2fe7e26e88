"""The plan of the job, as the command prints it; no server is needed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.system.own_stack import echopulse, own_settings

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


def test_the_analysis_is_planned_once(tmp_path: Path) -> None:
    """All sinks share one Python operator for the analysis, each view has one writer; the machine needs no Java."""
    settings = own_settings(tmp_path / "home")
    without_java = {"PATH": str(tmp_path), "JAVA_HOME": ""}
    done = echopulse(settings, "pipeline", "explain", "signals", "--json", timeout_s=250, changed=without_java)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["analysis_operators"] == 1
    writers = {name: count for name, count in document["python_operators"].items() if name.startswith("write_")}
    views = [f"{who}_{window}" for who in ("channel", "user") for window in ("1m", "5m", "1h")]
    assert writers == {f"write_{view}": 1 for view in views}
