"""One service: ready, crashed, late, killed, restarted."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from echopulse.stack.service import Service, ServiceError, tail
from echopulse.stack.spec import Launch
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from echopulse.stack.settings import StackSettings
    from echopulse.stack.spec import ServiceSpec, ServiceState


def test_a_service_is_reported_through_its_life(
    stack_settings: StackSettings, listener: Callable[..., ServiceSpec]
) -> None:
    """It starts, is ready, is killed, is found out, and starts again."""
    seen: list[ServiceState] = []
    service = Service(listener("one"), stack_settings, seen.append)
    assert service.entry is None
    service.launch()
    service.wait_ready(threading.Event())
    first = service.pid
    service.check()
    service.kill()
    with pytest.raises(ServiceError, match=r"one: was killed by SIGKILL; its log is .*one.log.*about to listen"):
        service.check()
    service.stop()
    service.launch()
    service.wait_ready(threading.Event())
    assert service.pid != first
    service.stop()
    service.stop()
    assert [state.phase for state in seen] == [
        *("starting", "ready", "failed", "stopped"),
        *("starting", "ready", "stopped"),
    ]


def test_a_crash_at_the_start_is_told_with_its_log(
    stack_settings: StackSettings, listener: Callable[..., ServiceSpec], crash: str
) -> None:
    """The message holds the exit code and the telling line, the error and the state the whole tail."""
    seen: list[ServiceState] = []
    service = Service(listener("one", crash), stack_settings, seen.append)
    service.launch()
    with pytest.raises(ServiceError, match=r"one: ended with exit code 1; .*ValueError: no such device") as caught:
        service.wait_ready(threading.Event())
    assert caught.value.tail == ("line 1", "ValueError: no such device")
    assert (seen[-1].phase, seen[-1].tail) == ("failed", caught.value.tail)
    service.stop()


def test_a_service_that_is_late_is_told(stack_settings: StackSettings, listener: Callable[..., ServiceSpec]) -> None:
    """The limit, the last answer of the health check and the setting are named."""
    late = listener("one", "import time; time.sleep(600)")
    service = Service(late, replace(stack_settings, start_timeout_s=0.3), lambda _: None)
    service.launch()
    with pytest.raises(
        ServiceError, match=r"not ready after 0.3 s: .*refused.*\(empty\) \(raise stack.start_timeout_s"
    ):
        service.wait_ready(threading.Event())
    service.stop()


def test_a_program_that_is_not_there_is_one_clear_line(
    stack_settings: StackSettings, listener: Callable[..., ServiceSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing program is named with its service."""
    spec = listener("one")
    monkeypatch.setattr(type(spec), "launch", lambda _: Launch(("/no/such/program",), {}))
    with pytest.raises(EchoPulseError, match=r"one: cannot be started: .*/no/such/program"):
        Service(spec, stack_settings, lambda _: None).launch()


def test_the_tail_of_a_log(tmp_path: Path) -> None:
    """The last 15 lines, bytes that are no text included; nothing where there is no log."""
    assert tail(tmp_path / "none") == ()
    log = tmp_path / "some.log"
    log.write_bytes(b"\n".join(b"line %d" % n for n in range(5000)) + b"\n\xff\xfe\n")
    assert tail(log) == (*(f"line {n}" for n in range(4986, 5000)), "\ufffd\ufffd")
