"""`echopulse pipeline` where it needs no Flink: names, and a cluster that is not there."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from echopulse.cli.main import FAILED, WRONG_USAGE, main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _nothing_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in an empty folder, against a port where nobody listens."""
    monkeypatch.chdir(tmp_path)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("ECHOPULSE_FLINK__REST", f"http://127.0.0.1:{closed.getsockname()[1]}")


@pytest.mark.parametrize("command", ["run", "submit", "explain", "savepoint", "stop"])
def test_an_unknown_job_is_wrong_usage(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line with the near miss, before any server is asked."""
    assert main(["pipeline", command, "signal"]) == WRONG_USAGE
    out, err = capsys.readouterr()
    assert (out, err) == ("", "echopulse: no job is called 'signal' (did you mean 'signals'?)\n")


@pytest.mark.parametrize("words", [["list"], ["list", "--json"], ["savepoint"], ["stop", "signals"]])
def test_a_cluster_that_is_not_there_is_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1, the address, and what to do."""
    assert main(["pipeline", *words]) == FAILED
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "the Flink cluster at http://127.0.0.1:" in err
    assert "echopulse status" in err
