"""The planner's JVM ends with the process that planned in it; other children are let alone."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from echopulse.job import planner_jvm
from echopulse.job.planner_jvm import _MAIN_CLASS, end_jvm
from tests.processes import ended

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A process that stands for the JVM: known by the class in its command line, it says when it is there.
_SLEEPS = "import time; print('there', flush=True); time.sleep(600)"
_STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {_SLEEPS}"


@pytest.fixture
def children() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes of a test, ended with it."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


def _child(code: str, *arguments: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"there\n"
    return process


def _ran(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)


def test_only_the_planner_is_ended(children: list[subprocess.Popen[bytes]]) -> None:
    """Whatever else this process has started goes on."""
    planner, other = _child(_SLEEPS, _MAIN_CLASS), _child(_SLEEPS)
    children += [planner, other]
    end_jvm()
    assert ended(planner.pid)
    assert other.poll() is None


def test_one_that_does_not_hear_is_killed(
    children: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the time it has to end in."""
    monkeypatch.setattr(planner_jvm, "_END_S", 0.3)
    children.append(_child(_STUBBORN, _MAIN_CLASS))
    end_jvm()
    assert ended(children[0].pid)


def test_nothing_to_end_is_fine() -> None:
    """A process that never planned."""
    end_jvm()


def test_it_is_ended_with_the_process_that_planned() -> None:
    """When that process has ended, so has the JVM: the command after it finds nothing."""
    code = (
        "import subprocess, sys; from echopulse.job.planner_jvm import prepare_jvm; prepare_jvm();"
        f"print(subprocess.Popen([sys.executable, '-c', {_SLEEPS!r}, {_MAIN_CLASS!r}],"
        " stdout=subprocess.DEVNULL).pid)"
    )
    ran = _ran(code)
    assert ran.stderr == ""
    assert ended(int(ran.stdout))


def test_py4j_logs_nothing_that_it_raises() -> None:
    """A command that is interrupted while Flink plans says so in one line, and py4j no traceback before it."""
    code = (
        "import logging; from echopulse.job.planner_jvm import prepare_jvm; prepare_jvm()\n"
        "for module in ('java_gateway', 'ours'):\n"
        "    record = {'msg': module, 'module': module, 'levelno': logging.ERROR}\n"
        "    logging.getLogger().handle(logging.makeLogRecord(record))"
    )
    ran = _ran(code)
    assert ran.stderr == "ours\n"
