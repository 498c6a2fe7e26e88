"""SIGTERM and SIGHUP end a command as Ctrl-C does."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from echopulse.cli.interrupt import ended_by_signal

_PROGRAM = """
import time
from echopulse.cli.interrupt import ended_by_signal

class Started:
    def __enter__(self):
        pass
    def __exit__(self, kind, *_):
        print("stopped on", kind.__name__, flush=True)

with ended_by_signal(), Started():
    print("started", flush=True)
    while True:
        time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_what_was_started_is_stopped(number: signal.Signals) -> None:
    """A process that gets the signal leaves its `with` blocks in order."""
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        process.send_signal(number)
        out, _ = process.communicate(timeout=60)
    assert out == "stopped on KeyboardInterrupt\n"


def test_handlers_are_given_back() -> None:
    """What was set before is set after."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    with ended_by_signal():
        assert signal.getsignal(signal.SIGTERM) != before[0]
    assert [signal.getsignal(number) for number in numbers] == before
