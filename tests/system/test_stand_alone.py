"""The page on the compiler by itself: its script runs as it stands, on Flink and a Valkey."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from echopulse.stack import find_java
from features.machinery.connection import OnlineStoreSettings, connect
from features.machinery.reader import read_latest
from features.machinery.view_spec import Column, ViewSchema
from tests.features.conftest import Valkey

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

_SCRIPT = re.compile(r"```python\n(.*?)```", re.DOTALL)
PAGE = ViewSchema("page_5m", (Column("page", "string"),), (Column("visits", "int64"), Column("slowest", "float64")), 0)
NOON_MS = 1_769_860_800_000


def test_the_script_brings_values_online(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Clicks in a file, a view over them, Flink's windows, and the last row of each page in the store."""
    root = request.config.rootpath
    [script] = _SCRIPT.findall((root / "docs" / "stand-alone.md").read_text(encoding="utf-8"))
    (tmp_path / "script.py").write_text(script, encoding="utf-8")
    clicks = tmp_path / "clicks"
    clicks.mkdir()
    lines = [f"{NOON_MS + 1_000 * second},c{second},/{second % 2},{second / 10}" for second in range(60)]
    (clicks / "clicks.csv").write_text("\n".join([*lines, f"{NOON_MS + 3_600_000},last,/end,1.0"]), encoding="utf-8")
    server = Valkey(tmp_path)
    server.start()
    try:
        done = subprocess.run(
            [sys.executable, "script.py", str(clicks), server.address],
            cwd=tmp_path,
            env=os.environ | {"JAVA_HOME": str(find_java().home), "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3_000:]
        with connect(OnlineStoreSettings(server.address, "shop")) as client:
            rows = read_latest(client, "shop", PAGE, [("/0",), ("/1",), ("/end",), ("/none",)]).to_pylist()
    finally:
        server.stop()
    # Both fell silent five minutes later, and the row that says so is the newest.
    assert [row["visits"] for row in rows] == [0, 0, 0, None]
    ends = [row["event_timestamp"].timestamp() * 1_000 for row in rows[:2]]
    assert ends == [NOON_MS + 360_000] * 2
