"""A stack seen from another process, through its run file."""

from __future__ import annotations

import socketserver
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from echopulse.stack import run_file
from echopulse.stack.overview import as_started, describe, stop
from echopulse.stack.processes import own_record, record_of, spawn
from echopulse.stack.spec import Launch

if TYPE_CHECKING:
    from echopulse.stack.settings import StackSettings

NAMES = ["kafka", "jobmanager", "taskmanager", "valkey", "s3"]


def test_no_stack_is_all_stopped(stack_settings: StackSettings) -> None:
    """Without a run file nothing runs and nothing is stopped."""
    assert [(state.name, state.phase) for state in describe(stack_settings)] == [(name, "stopped") for name in NAMES]
    assert stop(stack_settings) == []


def test_what_runs_is_told_from_what_has_ended(stack_settings: StackSettings) -> None:
    """A living process without an answer is starting, an ended one failed; `stop` ends the first and drops the file."""
    settings = replace(stack_settings, valkey_port=1)  # where surely nobody answers
    entries = []
    for name, program in {"valkey": "import time; time.sleep(600)", "s3": ""}.items():
        process = spawn(Launch((sys.executable, "-c", program), {}), settings.logs / "x.log", settings.home)
        entries.append(run_file.RunEntry(name, record_of(process, settings.home), "somewhere", "x.log"))
        if not program:
            process.wait()
        else:
            living = process
    run_file.write(settings.run, entries)
    states = {state.name: state for state in describe(settings)}
    assert {name: state.phase for name, state in states.items()} == dict.fromkeys(NAMES, "stopped") | {
        "valkey": "starting",
        "s3": "failed",
    }
    assert (states["valkey"].pid, states["valkey"].address) == (living.pid, "somewhere")
    assert stop(settings) == ["valkey"]
    living.wait()
    assert run_file.read(settings.run) == []


class _Pong(socketserver.StreamRequestHandler):
    """Answers as a Valkey of somebody else's would."""

    def handle(self) -> None:
        """Say that it is there, to whatever is asked."""
        while self.rfile.readline():
            self.wfile.write(b"+PONG\r\n")


def test_a_service_is_asked_where_it_was_started(stack_settings: StackSettings) -> None:
    """Other ports in the settings since then may be another stack's: its answer is not this one's."""
    started = replace(stack_settings, valkey_port=1)  # where surely nobody answers
    process = spawn(
        Launch((sys.executable, "-c", "import time; time.sleep(600)"), {}), started.logs / "x.log", started.home
    )
    entry = run_file.RunEntry("valkey", record_of(process, started.home), "127.0.0.1:1", "x.log")
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Pong) as other:
        other.daemon_threads = True
        thread = threading.Thread(target=other.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        asked = replace(stack_settings, valkey_port=other.server_address[1], kafka_port=2)
        run_file.write(started.run, [entry], settings=started.told)
        assert as_started(asked) == started
        states = {state.name: state for state in describe(asked)}
        other.shutdown()
        thread.join()
    assert (states["valkey"].phase, states["valkey"].address) == ("starting", "127.0.0.1:1")
    assert states["kafka"].address == f"127.0.0.1:{started.kafka_port}"
    assert stop(asked) == ["valkey"]
    process.wait()
    assert as_started(asked) == asked


@pytest.mark.parametrize("name", NAMES)
def test_every_service_has_a_log_and_an_address(stack_settings: StackSettings, name: str) -> None:
    """A person finds both before the first start."""
    state = next(state for state in describe(stack_settings) if state.name == name)
    assert state.log == stack_settings.logs / f"{name}.log"
    assert "127.0.0.1:" in state.address


def test_a_service_that_has_yet_to_join_is_told(stack_settings: StackSettings) -> None:
    """What its installation is at, as long as the process that does it lives; `stop` has nothing of it to end."""
    settings = replace(stack_settings, mlflow_port=1)
    assert [state.name for state in describe(settings)] == NAMES
    assert describe(replace(settings, mlflow=True))[-1].phase == "stopped"
    ours = own_record(settings.home)
    run_file.write(settings.run, [], [run_file.Absence("mlflow", "fetching", "installed", ours)])
    state = describe(settings)[-1]
    assert (state.name, state.phase, state.detail, state.pid) == ("mlflow", "fetching", "installed", None)
    gone = replace(ours, created=ours.created - 1_000)
    run_file.write(settings.run, [], [run_file.Absence("mlflow", "fetching", "installed", gone)])
    state = describe(settings)[-1]
    assert (state.phase, state.detail) == ("stopped", "what should have started it has ended")
    assert stop(settings) == []
