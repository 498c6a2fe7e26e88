"""Starting, recognising and ending processes."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import psutil
import pytest

from echopulse.stack.processes import ProcessRecord, members, record_of, spawn, terminate
from echopulse.stack.spec import Launch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Spawned = tuple[subprocess.Popen[bytes], ProcessRecord]

#: Starts a child that ignores SIGTERM, and says so once it does.
FAMILY = """
import subprocess, sys, time
child = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
subprocess.Popen([sys.executable, "-c", child])
time.sleep(600)
"""

#: Starts a service, says its pid, and takes no notice of its end.
KEEPER = """
import sys, time
from pathlib import Path
from echopulse.stack.processes import spawn
from echopulse.stack.spec import Launch
home = Path(sys.argv[1])
print(spawn(Launch((sys.executable, "-c", "import time; time.sleep(600)"), {}), home / "log", home).pid, flush=True)
time.sleep(600)
"""


def wait_for(condition: Callable[[], bool], timeout_s: float = 30) -> None:
    """Poll until the condition holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition never held"
        time.sleep(0.02)


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Spawned]:
    """Start a parent and its deaf child; end both whatever the test did."""
    log = tmp_path / "logs" / "family.log"
    process = spawn(Launch((sys.executable, "-c", FAMILY), {}), log, tmp_path)
    record = record_of(process, tmp_path)
    wait_for(lambda: b"deaf" in log.read_bytes())
    yield process, record
    terminate(record, 0)
    process.wait()


def test_all_descendants_end(family: Spawned) -> None:
    """SIGTERM ends the parent, SIGKILL the child that does not listen; nothing is left."""
    process, record = family
    assert len(members(record)) == 2
    assert terminate(record, 0.2) == []
    assert members(record) == []
    process.wait()


@pytest.mark.timeout(30)
def test_one_that_its_parent_takes_no_notice_of_has_ended(tmp_path: Path) -> None:
    """A zombie is not waited for: `up` notices the end of its services when `down` has let go of the lock."""
    with subprocess.Popen([sys.executable, "-c", KEEPER, str(tmp_path)], stdout=subprocess.PIPE) as keeper:
        try:
            assert keeper.stdout is not None
            service = psutil.Process(int(keeper.stdout.readline()))
            record = ProcessRecord(service.pid, service.create_time(), str(tmp_path))
            assert terminate(record, 600) == []
            assert service.status() == psutil.STATUS_ZOMBIE
        finally:
            keeper.kill()


def test_orphans_of_a_crash_are_still_known(family: Spawned) -> None:
    """When the parent was killed, its child is found by session and mark, and ended."""
    process, record = family
    process.kill()
    process.wait()
    (orphan,) = members(record)
    assert orphan.pid != record.pid
    assert terminate(record, 0) == []
    assert members(record) == []


def test_a_stranger_is_never_touched(family: Spawned) -> None:
    """Another create time, or for orphans another stack's mark, means another process: nothing is signalled."""
    process, record = family
    assert members(replace(record, created=record.created - 60)) == []
    assert terminate(replace(record, created=record.created - 60)) == []
    assert process.poll() is None
    process.kill()
    process.wait()
    assert members(replace(record, home="/another")) == []
    assert len(members(record)) == 1


def test_the_previous_log_is_kept(tmp_path: Path) -> None:
    """A second start moves the first one's log aside."""
    log = tmp_path / "logs" / "once.log"
    for text in ("first", "second"):
        spawn(Launch((sys.executable, "-c", f"print('{text}')"), {}), log, tmp_path).wait()
    assert log.read_text() == "second\n"
    assert log.with_name("once.log.1").read_text() == "first\n"
