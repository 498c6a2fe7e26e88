"""What is refused before anything is started."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import psutil
import pytest

from echopulse.stack import run_file
from echopulse.stack.preflight import check_disk, check_ports, refuse_second
from echopulse.stack.processes import ProcessRecord
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from echopulse.stack.spec import ServiceSpec


def test_a_taken_port_names_service_setting_and_holder(listener: Callable[..., ServiceSpec]) -> None:
    """The line says which service, which port, who has it and what to set."""
    spec = listener("kafka")
    port = spec.ports[0].number
    with socket.create_server(("127.0.0.1", port)):
        expected = (
            rf"kafka: port {port} is taken by .* \(pid {os.getpid()}\) \(set stack\.kafka_port or ECHOPULSE_STACK__"
        )
        with pytest.raises(EchoPulseError, match=expected):
            check_ports([spec])
    check_ports([spec])


def test_a_port_taken_on_all_addresses_is_taken(listener: Callable[..., ServiceSpec]) -> None:
    """A server on every address of the machine has the port on this one too."""
    spec = listener("kafka")
    with socket.create_server(("", spec.ports[0].number)), pytest.raises(EchoPulseError, match="is taken"):
        check_ports([spec])


def test_two_services_on_one_port_are_refused(listener: Callable[..., ServiceSpec]) -> None:
    """Two settings with the same port are named both."""
    first = listener("kafka")
    second = type(first)("valkey", first.ports[0].number)  # type: ignore[call-arg]
    with pytest.raises(EchoPulseError, match=r"valkey: port \d+ is also kafka \(stack\.kafka_port\)'s"):
        check_ports([first, second])


def test_too_little_disk_is_refused(tmp_path: Path) -> None:
    """A folder that does not exist yet is judged by the disk it would be on."""
    check_disk(tmp_path / "not" / "yet", least=1)
    with pytest.raises(EchoPulseError, match=r"MiB of disk left, .* MiB are needed .*`home`"):
        check_disk(tmp_path / "not" / "yet", least=2**60)


def test_a_living_stack_is_not_started_twice(tmp_path: Path) -> None:
    """The processes that run are named; a run file whose processes have ended is no obstacle."""
    this = psutil.Process()
    alive = run_file.RunEntry("kafka", ProcessRecord(this.pid, this.create_time(), str(tmp_path)), "", "")
    ended = run_file.RunEntry("s3", ProcessRecord(this.pid, 1.0, str(tmp_path)), "", "")
    run_file.write(tmp_path, [alive, ended])
    with pytest.raises(EchoPulseError, match=rf"running already: kafka \(pid {this.pid}\) \(`echopulse down`"):
        refuse_second(tmp_path)
    run_file.write(tmp_path, [ended])
    refuse_second(tmp_path)
