"""The parts of bringing everything up that need no server."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from echopulse.job.cluster import FlinkCluster
from echopulse.job.launch import Pipeline, _InBackground, _wait_applied
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from tests.echopulse.job.conftest import ScriptedFlink


def _ended(program: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def test_a_background_call_gives_its_result_or_its_error() -> None:
    """What went wrong there is raised here."""
    assert _InBackground(lambda: 7).result() == 7
    with pytest.raises(ZeroDivisionError):
        _InBackground(lambda: 1 / 0).result()


def test_views_that_were_applied_say_nothing() -> None:
    """A process that ends well is enough, whatever it logged."""
    with _ended("import sys; sys.stderr.write('a note\\n')") as process:
        _wait_applied(process)


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import sys; sys.exit('note\\nechopulse: view x: no such column y')", "not applied: view x: no such column y"),
        ("import sys; sys.exit(3)", "not applied: it ended with status 3"),
    ],
)
def test_views_that_were_not_applied_tell_the_last_line(program: str, said: str) -> None:
    """The child's own line, without its name before it."""
    with _ended(program) as process, pytest.raises(EchoPulseError, match=said):
        _wait_applied(process)


def test_applying_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that hangs does not hang the start."""
    monkeypatch.setattr("echopulse.job.launch._APPLY_S", 0.01)
    with _ended("input()") as process:
        try:
            with pytest.raises(EchoPulseError, match="applying features/ took longer"):
                _wait_applied(process)
        finally:
            process.kill()


def test_a_job_that_has_ended_is_noticed(flink: ScriptedFlink) -> None:
    """Its state and its failure are told; a running one passes."""
    flink.answer("GET /jobs/j", {"state": "RUNNING"}, {"state": "FAILED"})
    flink.answer("GET /jobs/j/exceptions", {"exceptionHistory": {"entries": [{"stacktrace": "Caused by: boom"}]}})
    with FlinkCluster(flink.rest) as cluster:
        running = Pipeline(SimpleNamespace(check=lambda: None), cluster, "j", 1.0)  # type: ignore[arg-type]
        running.check()
        with pytest.raises(EchoPulseError, match="job signals is FAILED: Caused by: boom"):
            running.check()
