"""The process beside a worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import stamina

import pipelines
from pipelines.aside import Aside


def ended(pid: int) -> bool:
    """Say whether a process computes no more; where nobody collects orphans, an ended one stays as a zombie."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


WORKER = """
import os, signal
from pipelines.aside import Aside

if __name__ == "__main__":
    aside = Aside("os")
    aside.enter()
    process = aside.ask("os.getpid")
    print(process, os.getpriority(os.PRIO_PROCESS, process) - os.getpriority(os.PRIO_PROCESS, 0), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_it_gives_way_and_ends_with_a_killed_worker(tmp_path: Path) -> None:
    """Nothing of a worker that Flink killed goes on computing."""
    script = tmp_path / "worker.py"
    script.write_text(WORKER, encoding="utf-8")
    environ = os.environ | {"PYTHONPATH": str(Path(pipelines.__file__).parents[1])}
    ran = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=120, check=False, env=environ
    )
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    process, lower = map(int, ran.stdout.split())
    assert lower == min(10, 19 - os.getpriority(os.PRIO_PROCESS, 0))
    for attempt in stamina.retry_context(on=AssertionError, attempts=None, timeout=30, wait_initial=0.1, wait_max=0.5):
        with attempt:
            assert ended(process)


def test_those_inside_share_a_process_until_the_last_has_left() -> None:
    """One who has left does not take it from another."""
    aside = Aside("os")
    aside.enter()
    aside.enter()
    process = aside.ask("os.getpid")
    assert process != os.getpid()
    aside.leave()
    assert aside.ask("os.getpid") == process
    aside.leave()
    with pytest.raises(RuntimeError, match=r"os\.getpid was asked for before open\(\)"):
        aside.ask("os.getpid")
    aside.enter()
    assert aside.ask("os.getpid") != process
    aside.leave()


def test_what_a_function_raises_is_raised() -> None:
    """Nothing is lost between the processes."""
    aside = Aside("math")
    aside.enter()
    with pytest.raises(ValueError, match="math domain error"):
        aside.ask("math.sqrt", -1.0)
    aside.leave()
