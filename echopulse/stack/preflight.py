"""What must hold before anything is started: free ports, free disk, no stack of this home."""

from __future__ import annotations

import errno
import shutil
import socket
from typing import TYPE_CHECKING

import psutil

from echopulse.stack import run_file
from echopulse.stack.processes import members
from echopulse.stack.settings import HOST
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from echopulse.stack.spec import Port, ServiceSpec

LEAST_FREE_BYTES = 1024**3


def check_ports(specs: Iterable[ServiceSpec]) -> None:
    """Raise EchoPulseError for the first port that is taken: service, port, setting, and the holder where visible."""
    owners: dict[int, str] = {}
    for spec in specs:
        for port in spec.ports:
            other = owners.setdefault(port.number, f"{spec.name} ({port.setting})")
            if other != f"{spec.name} ({port.setting})":
                raise EchoPulseError(f"{spec.name}: port {port.number} is also {other}'s", f"set {port.setting}")
            _check_port(spec.name, port)


def check_disk(folder: Path, least: int = LEAST_FREE_BYTES) -> None:
    """Raise EchoPulseError where the disk of `folder` has less than `least` bytes left."""
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    if free < least:
        raise EchoPulseError(
            f"{folder} has {free / 1024**2:.0f} MiB of disk left, {least / 1024**2:.0f} MiB are needed",
            "free some, or set `home` to a folder on another disk",
        )


def refuse_second(run: Path) -> None:
    """Raise EchoPulseError where processes of the stack described in the folder `run` are alive."""
    running = [entry for entry in run_file.read(run) if members(entry.process)]
    if running:
        named = ", ".join(f"{entry.name} (pid {entry.process.pid})" for entry in running)
        raise EchoPulseError(f"a stack of {run.parent} is running already: {named}", "`echopulse down` stops it")


def _check_port(service: str, port: Port) -> None:
    with socket.socket() as probe:
        # Without it, a connection that just ended would look like a server for a minute.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port.number))
        except OSError as error:
            variable = f"ECHOPULSE_{port.setting.upper().replace('.', '__')}"
            reason = (
                f"is taken{_holder(port.number)}" if error.errno == errno.EADDRINUSE else f"cannot be used: {error}"
            )
            raise EchoPulseError(
                f"{service}: port {port.number} {reason}", f"set {port.setting} or {variable} to a free port"
            ) from error


def _holder(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            here = tuple(connection.laddr)[1:] == (port,)
            if here and connection.status == psutil.CONN_LISTEN and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        return ""  # other users' processes are not ours to see
    return ""
