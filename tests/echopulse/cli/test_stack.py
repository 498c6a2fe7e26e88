"""`echopulse down` and `echopulse status` where nothing runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from echopulse.cli.main import main
from echopulse.stack import StackSettings, owner, run_file
from tests.echopulse.stack.test_owner import owner as kept

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


def test_down_waits_for_who_kept_the_stack(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says for whom, and fails where that one stays."""
    monkeypatch.setattr(owner, "PATIENCE_S", 0.1)
    with kept(tmp_path / ".echopulse") as process:
        assert main(["down"]) == 1
        pid = process.pid
    out, err = capsys.readouterr()
    assert out == ""
    left = f"the services are stopped, but the process that kept them, {pid}, has not ended after 0.1 s"
    assert err.splitlines() == [
        f"waiting for the `up` or `run` of this stack to end (pid {pid})",
        f"echopulse: {left} (`kill {pid}` ends it)",
    ]
    process.wait(30)
    assert main(["down"]) == 0


def test_status_lists_every_service(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each has a line with its state and address, and its log once it is there; in JSON the same."""
    logs = tmp_path / ".echopulse" / "logs"
    logs.mkdir(parents=True)
    (logs / "kafka.log").touch()
    assert main(["status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "home: .echopulse"
    assert lines[1].split() == ["service", "state", "address", "pid", "note", "log"]
    assert lines[2].split() == ["kafka", "stopped", "127.0.0.1:19092", ".echopulse/logs/kafka.log"]
    assert lines[3].split() == ["jobmanager", "stopped", "http://127.0.0.1:18081"]
    assert main(["status", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["home"] == str(tmp_path / ".echopulse")
    services = document["services"]
    assert [service["name"] for service in services] == ["kafka", "jobmanager", "taskmanager", "valkey", "s3"]
    assert {service["phase"] for service in services} == {"stopped"}
    assert [service["log"] for service in services] == [str(logs / "kafka.log"), None, None, None, None]


def test_status_shows_the_stack_as_it_was_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other ports in the settings since then are said, not mixed with those of the stack."""
    started = StackSettings(home=tmp_path / ".echopulse", kafka_port=1)
    run_file.write(started.run, [], settings=started.told)
    monkeypatch.setenv("ECHOPULSE_STACK__KAFKA_PORT", "2")
    assert main(["status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["home: .echopulse", "started with other settings: kafka_port 1, now 2"]
    assert lines[3].split() == ["kafka", "stopped", "127.0.0.1:1"]


def test_a_damaged_run_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1 and the file's name."""
    run = tmp_path / ".echopulse" / "run"
    run.mkdir(parents=True)
    (run / "stack.json").write_text("{")
    assert main(["down"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "stack.json is unreadable" in error
