"""A service that joins a running stack: installed meanwhile, told, watched, and gone with the others."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psutil
import pytest

from echopulse.stack import run_file
from echopulse.stack.overview import stop
from echopulse.stack.supervisor import Stack
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable

    from echopulse.stack.settings import StackSettings
    from echopulse.stack.spec import Phase, ServiceSpec, ServiceState
    from tests.echopulse.stack.conftest import LateListener


class Heard:
    """Keeps what is reported, and waits for a phase of a service."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.states: list[ServiceState] = []
        self._changed = threading.Condition()

    def __call__(self, state: ServiceState) -> None:
        """Take a report."""
        with self._changed:
            self.states.append(state)
            self._changed.notify_all()

    def of(self, name: str, phase: Phase) -> list[ServiceState]:
        """Return the reports of a service in a phase."""
        return [state for state in self.states if (state.name, state.phase) == (name, phase)]

    def wait(self, name: str, phase: Phase) -> ServiceState:
        """Return the first of them once it has come."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.of(name, phase), 30), self.states
            return self.of(name, phase)[0]


def make(settings: StackSettings, first: ServiceSpec, late: LateListener, heard: Heard) -> Stack:
    """Start a stack of two, of which the second joins later."""
    return Stack(settings, heard, [first], jar_groups=(), late=[late]).bring_up()


def test_it_joins_when_it_is_told_to(
    stack_settings: StackSettings,
    listener: Callable[..., ServiceSpec],
    late_listener: Callable[..., LateListener],
) -> None:
    """The others are up without it; it is described while it is installed, then as one of them, and ends with them."""
    heard, late = Heard(), late_listener("late")
    with make(stack_settings, listener("first"), late, heard) as stack:
        assert list(stack.addresses) == ["first", "late"]
        assert not late.begun.is_set()
        assert run_file.absences(stack_settings.run) == []
        stack.join()
        assert late.begun.wait(30)
        (absence,) = run_file.absences(stack_settings.run)
        detail = "being installed (5 GB); nothing answers at its address yet"
        assert (absence.name, absence.phase, absence.detail) == ("late", "fetching", detail)
        assert absence.told_by.pid == psutil.Process().pid
        stack.check()
        late.go.set()
        pid = heard.wait("late", "ready").pid
        stack.join()
        stack.check()
        assert [entry.process.pid for entry in run_file.read(stack_settings.run)][1] == pid
        assert run_file.absences(stack_settings.run) == []
    assert pid is not None
    assert not psutil.pid_exists(pid)
    assert len(heard.of("late", "ready")) == 1


def test_one_that_is_installed_already_is_not_said_to_be_fetched(
    stack_settings: StackSettings,
    listener: Callable[..., ServiceSpec],
    late_listener: Callable[..., LateListener],
) -> None:
    """It starts, and until it has a process a line says that nothing answers."""
    heard, late = Heard(), late_listener("late", missing="")
    with make(stack_settings, listener("first"), late, heard) as stack:
        stack.join()
        assert late.begun.wait(30)
        (absence,) = run_file.absences(stack_settings.run)
        assert (absence.phase, absence.detail) == ("starting", "nothing answers at its address yet")
        late.go.set()
        heard.wait("late", "ready")
    assert heard.of("late", "fetching") == []


def test_an_installation_that_fails_is_one_line_and_the_stack_goes_on(
    stack_settings: StackSettings,
    listener: Callable[..., ServiceSpec],
    late_listener: Callable[..., LateListener],
) -> None:
    """It is told here and to `status`, with what to do."""
    heard, late = Heard(), late_listener("late", refusal="late: no index answers")
    late.go.set()
    with make(stack_settings, listener("first"), late, heard) as stack:
        stack.join()
        state = heard.wait("late", "failed")
        assert (state.detail, state.pid, state.tail) == ("no index answers (do without)", None, ())
        stack._late[0].cancel()  # waits for the thread
        stack.check()
        (absence,) = run_file.absences(stack_settings.run)
        assert (absence.phase, absence.detail) == ("failed", state.detail)
    assert len(heard.of("late", "failed")) == 1


def test_a_crash_of_it_is_told_once_and_the_stack_goes_on(
    stack_settings: StackSettings,
    listener: Callable[..., ServiceSpec],
    late_listener: Callable[..., LateListener],
    crash: str,
) -> None:
    """At its start, or after it was ready; it can be started again."""
    heard, late = Heard(), late_listener("late")
    late.go.set()
    with make(stack_settings, listener("first"), late, heard) as stack:
        stack.join()
        heard.wait("late", "ready")
        stack.service("late").kill()
        stack.check()
        stack.check()
        assert [state.detail for state in heard.of("late", "failed")] == ["was killed by SIGKILL"]
        stack.restart("late")
        stack.check()
    again, bad = Heard(), late_listener("late", crash)
    bad.go.set()
    with make(stack_settings, listener("first"), bad, again) as stack:
        stack.join()
        state = again.wait("late", "failed")
        assert state.detail == "ended with exit code 1"
        assert state.tail[-1] == "ValueError: no such device"
        stack.check()


def test_the_end_of_the_stack_breaks_the_installation_off(
    stack_settings: StackSettings,
    listener: Callable[..., ServiceSpec],
    late_listener: Callable[..., LateListener],
) -> None:
    """Nothing is started any more, and nothing is called a failure."""
    heard, late = Heard(), late_listener("late")
    with make(stack_settings, listener("first"), late, heard) as stack:
        stack.join()
        assert late.begun.wait(30)
    assert heard.of("late", "failed") == heard.of("late", "starting") == []
    assert run_file.read(stack_settings.run) == []
    assert not [thread for thread in threading.enumerate() if thread.name == "stack-late"]


def test_it_does_not_join_a_stack_that_was_stopped_from_elsewhere(
    stack_settings: StackSettings,
    listener: Callable[..., ServiceSpec],
    late_listener: Callable[..., LateListener],
) -> None:
    """An installation that ends after `down` starts nothing and describes nothing."""
    heard, late = Heard(), late_listener("late")
    settings = stack_settings
    with make(settings, listener("kafka"), late, heard) as stack:
        stack.join()
        assert late.begun.wait(30)
        assert stop(settings) == ["kafka"]
        late.go.set()
        stack._late[0]._thread.join(30)  # type: ignore[union-attr] # it was started above
        assert heard.of("late", "starting") == []
        assert run_file.read(settings.run) == []
        with pytest.raises(EchoPulseError, match="stopped by `echopulse down`"):
            stack.check()
