"""A stack seen from another process, through its run file."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from echopulse.stack import run_file
from echopulse.stack.overview import describe, stop
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
