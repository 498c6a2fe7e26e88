"""`echopulse down` and `echopulse status` where nothing runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from echopulse.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for port in ("KAFKA_PORT", "FLINK_REST_PORT", "VALKEY_PORT", "S3_PORT"):
        monkeypatch.delenv(f"ECHOPULSE_STACK__{port}", raising=False)


def test_down_without_a_stack_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """It is done, not failed: what should be gone is gone."""
    assert main(["down"]) == 0
    assert capsys.readouterr().out == "no stack was running in .echopulse\n"
    assert main(["down", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"stopped": []}


def test_status_lists_every_service(capsys: pytest.CaptureFixture[str]) -> None:
    """Each has a line with its state, address and log; in JSON the same."""
    assert main(["status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["kafka", "stopped", "127.0.0.1:19092", ".echopulse/logs/kafka.log"]
    assert main(["status", "--json"]) == 0
    services = json.loads(capsys.readouterr().out)["services"]
    assert [service["name"] for service in services] == ["kafka", "jobmanager", "taskmanager", "valkey", "s3"]
    assert {service["phase"] for service in services} == {"stopped"}


def test_a_damaged_run_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1 and the file's name."""
    run = tmp_path / ".echopulse" / "run"
    run.mkdir(parents=True)
    (run / "stack.json").write_text("{")
    assert main(["down"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "stack.json is unreadable" in error
