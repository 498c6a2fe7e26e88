"""Starting children in sessions of their own, telling them from strangers, and ending them with all they started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from echopulse.stack.spec import PATIENCE_S, STACK_VARIABLE, child_environ

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from echopulse.stack.spec import Launch

KILL_TIMEOUT_S = 10.0
_TURN_S = 0.1
# A process's create time is derived from the boot time, which moves a little when the clock is set.
_SAME_TIME_S = 2.0


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """What identifies a child for good: its pid (also its session), its create time (s, epoch) and its stack's home."""

    pid: int
    created: float
    home: str


def spawn(launch: Launch, log: Path, home: Path) -> subprocess.Popen[bytes]:
    """Start a child in a new session with both outputs in `log`; the previous log is kept as LOG.1.

    The working folder is the log's, so that a JVM's crash report lands beside it. A child outlives a parent that is
    killed with SIGKILL: the kernel's parent-death signal is tied to the starting thread, not to the process, so it
    would end services whenever a worker thread ends. The run file lets `echopulse down` find such orphans.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        log.replace(log.with_name(f"{log.name}.1"))
    with log.open("wb") as output:
        return subprocess.Popen(
            launch.argv,
            env=child_environ(launch.environ, home),
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def own_record(home: Path) -> ProcessRecord:
    """Return what identifies this process."""
    return ProcessRecord(os.getpid(), psutil.Process().create_time(), str(home))


def is_alive(record: ProcessRecord) -> bool:
    """Tell whether this very process runs, not one that was given its pid since."""
    return _leader(record) is not None


def record_of(process: subprocess.Popen[bytes], home: Path) -> ProcessRecord:
    """Return what identifies a child that was just started; a child that is gone already has create time 0."""
    try:
        return ProcessRecord(process.pid, psutil.Process(process.pid).create_time(), str(home))
    except psutil.NoSuchProcess:
        return ProcessRecord(process.pid, 0.0, str(home))


def members(record: ProcessRecord) -> list[psutil.Process]:
    """Return the living processes of a child: itself, and what it or its descendants started.

    The leader must match by pid and create time; a descendant by its session and by the stack's variable in its
    environment, so that a pid that was given to a stranger since then matches nothing.
    """
    found: dict[int, psutil.Process] = {}
    leader = _leader(record)
    if leader is not None:
        found[leader.pid] = leader
        with contextlib.suppress(psutil.NoSuchProcess):
            found.update((child.pid, child) for child in leader.children(recursive=True))
    elif psutil.pid_exists(record.pid) and not _is_gone(record.pid):
        return []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid not in found and os.getsid(process.pid) == record.pid and _belongs(process, record):
                found[process.pid] = process
    return [process for process in found.values() if not _is_zombie(process)]


def terminate(record: ProcessRecord, patience_s: float = PATIENCE_S) -> list[psutil.Process]:
    """End a child and all it started: SIGTERM, and SIGKILL `patience_s` later. Returns what even that left."""
    return end(lambda: members(record), patience_s)


def end(living: Callable[[], list[psutil.Process]], patience_s: float) -> list[psutil.Process]:
    """End those that live: SIGTERM, and SIGKILL `patience_s` later. Returns what even that left."""
    alive = living()
    _signal(alive, signal.SIGTERM)
    _wait(alive, patience_s)
    # Looked up anew: a service may have started something while it was ending.
    alive = living()
    _signal(alive, signal.SIGKILL)
    return _wait(alive, KILL_TIMEOUT_S)


def _leader(record: ProcessRecord) -> psutil.Process | None:
    try:
        process = psutil.Process(record.pid)
        same = abs(process.create_time() - record.created) < _SAME_TIME_S
        return process if same and not _is_zombie(process) else None
    except psutil.NoSuchProcess:
        return None


def _belongs(process: psutil.Process, record: ProcessRecord) -> bool:
    return bool(process.environ().get(STACK_VARIABLE) == record.home)


def _is_gone(pid: int) -> bool:
    try:
        return _is_zombie(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return True


def _is_zombie(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)  # psutil compares the create time before it sends


def _wait(processes: list[psutil.Process], timeout_s: float) -> list[psutil.Process]:
    # In short turns: a zombie counts as ended. Its parent may be the `up` that waits until this `down` is done, and
    # `wait_procs` waits for it to be gone.
    deadline = time.monotonic() + timeout_s
    left = [process for process in processes if not _is_zombie(process)]
    while left and (remaining := deadline - time.monotonic()) > 0:
        _, left = psutil.wait_procs(left, timeout=min(_TURN_S, remaining))
        left = [process for process in left if not _is_zombie(process)]
    return left
