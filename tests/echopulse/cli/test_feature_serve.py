"""`echopulse feature serve`: wrong usage, and a server that ends in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from echopulse.cli.main import main

ROOT = Path(__file__).parents[3]
DEADLINE_S = 60
START_S = 120


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--cert", "a.crt"], "--cert and --key belong together"),
        (["--key", "a.key"], "--cert and --key belong together"),
        (["--client-ca", "ca.crt"], "--client-ca needs --cert and --key"),
    ],
)
def test_half_a_certificate_is_wrong_usage(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Told before anything is opened."""
    assert main(["feature", "serve", *arguments]) == 2
    assert capsys.readouterr().err == f"echopulse: {told}\n"


@pytest.mark.timeout(300)
def test_it_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    """The port is named on stderr; SIGTERM ends it with exit code 0 and one document."""
    repo = tmp_path / "features"
    repo.mkdir()
    config = (ROOT / "features" / "feature_store.yaml").read_text(encoding="utf-8")
    (repo / "feature_store.yaml").write_text(config, encoding="utf-8")
    (repo / "for_serving.py").write_text("from features.services import *\n", encoding="utf-8")
    command = [sys.executable, "-m", "echopulse.cli.main", "feature", "serve", "--port", "0", "--json"]
    with ExitStack() as opened:
        process = opened.enter_context(
            subprocess.Popen(
                [*command, "--repo", str(repo)],
                cwd=tmp_path,
                env=os.environ | {"ECHOPULSE_HOME": str(tmp_path / "home")},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        # Popen waits without a limit at its end: a server that says nothing, or outlives a failed check, is killed.
        opened.callback(process.kill)
        silent = threading.Timer(START_S, process.kill)
        opened.callback(silent.cancel)
        silent.start()
        assert process.stderr is not None
        said = ""
        for line in process.stderr:
            said += line
            if line.startswith("FeatureQuery"):
                break
        assert said.endswith(", plain text\n"), said
        silent.cancel()
        port = int(said.rpartition(":")[2].partition(",")[0])
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=DEADLINE_S)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=DEADLINE_S)
        assert process.returncode == 0
    assert f'"port":{port}' in printed
