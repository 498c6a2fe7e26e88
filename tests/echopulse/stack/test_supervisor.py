"""The stack as a whole, with services as small as can be."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psutil
import pytest

from echopulse.stack import run_file
from echopulse.stack.service import ServiceError
from echopulse.stack.supervisor import Stack
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable

    from echopulse.stack.settings import StackSettings
    from echopulse.stack.spec import ServiceSpec, ServiceState


def make(
    settings: StackSettings, *specs: ServiceSpec, report: Callable[[ServiceState], None] = lambda _: None
) -> Stack:
    """Prepare a stack of these services that needs no jars."""
    return Stack(settings, report, specs, jar_groups=())


def test_a_stack_lives_and_ends(stack_settings: StackSettings, listener: Callable[..., ServiceSpec]) -> None:
    """Services are up together, described in the run file, and gone together."""
    one, two = listener("one"), listener("two")
    with make(stack_settings, one, two).bring_up() as stack:
        assert stack.addresses == {"one": one.address, "two": two.address}
        assert [entry.name for entry in run_file.read(stack_settings.run)] == ["one", "two"]
        stack.check()
        pids = [service.pid for service in stack.services.values() if service.pid]
        with pytest.raises(EchoPulseError, match=r"is running already: one \(pid"):
            make(stack_settings, listener("three")).bring_up()
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert run_file.read(stack_settings.run) == []
    stack.down()


def test_one_that_crashes_stops_the_others(
    stack_settings: StackSettings, listener: Callable[..., ServiceSpec], crash: str
) -> None:
    """A start that fails leaves nothing behind, and names what failed."""
    seen: list[ServiceState] = []
    stack = make(stack_settings, listener("good"), listener("bad", crash), report=seen.append)
    with pytest.raises(ServiceError, match="bad: ended with exit code 1"):
        stack.bring_up()
    pids = {state.pid for state in seen if state.pid}
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert run_file.read(stack_settings.run) == []


def test_a_taken_port_starts_nothing(stack_settings: StackSettings, listener: Callable[..., ServiceSpec]) -> None:
    """Ports are looked at before the first process is started."""
    one = listener("one")
    with make(stack_settings, one).bring_up():
        other = type(stack_settings)(home=stack_settings.home.with_name("other"), cache=stack_settings.cache)
        seen: list[ServiceState] = []
        with pytest.raises(EchoPulseError, match=r"one: port \d+ is taken by "):
            make(other, listener("free"), one, report=seen.append).bring_up()
        assert seen == []


def test_a_killed_service_is_found_and_restarted(
    stack_settings: StackSettings, listener: Callable[..., ServiceSpec]
) -> None:
    """`check` names it; `restart` brings it back under a new pid that the run file knows."""
    with make(stack_settings, listener("one"), listener("two")).bring_up() as stack:
        stack.service("two").kill()
        with pytest.raises(ServiceError) as caught:
            stack.check()
        assert caught.value.service == "two"
        stack.restart("two")
        stack.check()
        assert run_file.read(stack_settings.run)[1].process.pid == stack.service("two").pid


def test_a_stack_stopped_from_elsewhere_is_told_so(
    stack_settings: StackSettings, listener: Callable[..., ServiceSpec]
) -> None:
    """Without its run file a stack was stopped, not crashed; and a newer stack's run file is not its own."""
    with make(stack_settings, listener("one")).bring_up() as stack:
        run_file.remove(stack_settings.run)
        with pytest.raises(EchoPulseError, match="stopped by `echopulse down`"):
            stack.check()
        with make(stack_settings, listener("newer")).bring_up():
            stack.down()
            assert [entry.name for entry in run_file.read(stack_settings.run)] == ["newer"]


def test_what_fails_because_the_stack_was_stopped_is_told_so(
    stack_settings: StackSettings, listener: Callable[..., ServiceSpec]
) -> None:
    """Of a stack that runs a failure is its own."""
    silent = EchoPulseError("the S3 endpoint does not answer")

    def fail(*, stopped: bool) -> None:
        with make(stack_settings, listener("one")).bring_up():
            if stopped:
                run_file.remove(stack_settings.run)
            raise silent

    with pytest.raises(EchoPulseError, match="does not answer"):
        fail(stopped=False)
    with pytest.raises(EchoPulseError, match="stopped by `echopulse down`") as caught:
        fail(stopped=True)
    assert caught.value.__cause__ is silent


def test_an_unknown_service_names_the_near_one(
    stack_settings: StackSettings, listener: Callable[..., ServiceSpec]
) -> None:
    """A mistyped name is answered with its neighbour."""
    with pytest.raises(EchoPulseError, match="did you mean 'kafka'"):
        make(stack_settings, listener("kafka")).service("kafak")


def test_an_interrupted_start_leaves_nothing(
    stack_settings: StackSettings, listener: Callable[..., ServiceSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while a service is awaited ends what was started and lets no thread wait on."""
    started, seen = threading.Event(), []

    def report(state: ServiceState) -> None:
        seen.append(state)
        started.set()

    def interrupt(*_args: object, **_more: object) -> None:
        started.wait(30)
        raise KeyboardInterrupt

    monkeypatch.setattr("echopulse.stack.supervisor.wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        make(stack_settings, listener("late", "import time; time.sleep(600)"), report=report).bring_up()
    assert not any(psutil.pid_exists(state.pid) for state in seen if state.pid)
    assert run_file.read(stack_settings.run) == []
