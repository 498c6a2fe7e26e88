"""SIGTERM and SIGHUP end a command as Ctrl-C does, and so does SIGINT where the parent ignores it."""

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


#: A command of the real command line that only waits.
_COMMAND = """
import sys, time, types
from echopulse.cli import main as cli

def wait():
    print("started", flush=True)
    time.sleep(60)

sys.modules["waiting"] = types.SimpleNamespace(wait=wait)
cli.COMMANDS = (cli.Command("wait", "waiting:wait", ""),)
sys.exit(cli.main(["wait"]))
"""


def _ended(program: str, number: signal.Signals, ignored: str = "") -> tuple[int, str, str]:
    """Run a program whose parent ignores some signals; once it has started, send one; return its end and output."""
    command = ["sh", "-c", f"trap '' {ignored}; exec \"$@\"" if ignored else 'exec "$@"', "sh"]
    with subprocess.Popen(
        [*command, sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        process.send_signal(number)
        try:
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    return process.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_what_was_started_is_stopped(number: signal.Signals) -> None:
    """A process that gets the signal leaves its `with` blocks in order."""
    assert _ended(_PROGRAM, number)[1] == "stopped on KeyboardInterrupt\n"


def test_an_interrupt_that_the_parent_ignores() -> None:
    """In the background of a script SIGINT is ignored: a block and any command hear it nevertheless."""
    assert _ended(_PROGRAM, signal.SIGINT, "INT")[1] == "stopped on KeyboardInterrupt\n"
    assert _ended(_COMMAND, signal.SIGINT, "INT") == (130, "", "echopulse: interrupted\n")


def test_nohup_outlives_the_terminal() -> None:
    """A hang-up that the parent ignores ends nothing."""
    lives_on = _PROGRAM.replace("time.sleep(60)", "print(input(), flush=True)")
    with subprocess.Popen(
        ["sh", "-c", "trap '' HUP; exec \"$@\"", "sh", sys.executable, "-c", lives_on],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "started\n"
        process.send_signal(signal.SIGHUP)
        process.stdin.write("still here\n")
        process.stdin.flush()
        assert process.stdout.readline() == "still here\n"
        process.kill()


def test_handlers_are_given_back() -> None:
    """What was set before is set after."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    with ended_by_signal():
        assert signal.getsignal(signal.SIGTERM) != before[1]
    assert [signal.getsignal(number) for number in numbers] == before
