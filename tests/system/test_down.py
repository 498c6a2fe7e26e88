"""`echopulse down` beside a real `up`: it returns once nothing of either is left."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.system.own_stack import echopulse, environment, left_running, own_settings

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.system, pytest.mark.proof, pytest.mark.timeout(600)]


def test_down_returns_once_up_has_ended(tmp_path: Path) -> None:
    """Its own process too; meanwhile `status` of this home shows its stack, whatever other ports are asked for."""
    settings = own_settings(tmp_path / "home")
    with subprocess.Popen(
        [sys.executable, "-m", "echopulse.cli.main", "up"],
        env=environment(settings) | {"ECHOPULSE_STACK__MLFLOW": "false"},
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    ) as up:
        try:
            assert up.stderr is not None
            assert any("Ctrl-C stops everything" in line for line in up.stderr)
            moved = {"ECHOPULSE_STACK__VALKEY_PORT": "1"}
            seen = echopulse(settings, "status", "--json", timeout_s=60, changed=moved)
            services = {each["name"]: each for each in json.loads(seen.stdout)["services"]}
            assert {each["phase"] for each in services.values()} == {"ready"}
            assert services["valkey"]["address"] == f"127.0.0.1:{settings.stack.valkey_port}"
            done = echopulse(settings, "down", timeout_s=120)
            assert done.returncode == 0, done.stderr
            assert done.stdout == "stopped: kafka, jobmanager, taskmanager, valkey, s3\n"
            assert done.stderr == f"waiting for the `up` or `run` of this stack to end (pid {up.pid})\n"
            assert up.poll() is not None
            assert left_running(settings.home) == []
        finally:
            up.terminate()  # so that a test that fails leaves no services either
