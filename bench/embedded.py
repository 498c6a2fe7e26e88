"""An embedded stack of the bench's own: a temporary home, and ports that nothing else has."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from echopulse.settings import ENV_PREFIX, Settings
from echopulse.settings_sections import EmbeddedStack
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from echopulse.stack import ServiceState

_HOST = "127.0.0.1"
_PORTS = (
    "kafka_port",
    "kafka_controller_port",
    "flink_rest_port",
    "flink_rpc_port",
    "valkey_port",
    "metrics_port",
    "s3_port",
    "s3_master_port",
    "s3_volume_port",
    "s3_filer_port",
)
#: SeaweedFS takes four more directly above its filer's.
_BLOCK = len(_PORTS) + 4
#: Variables that say where things are go before what is set here.
_PLACES = tuple(
    f"{ENV_PREFIX}{name}" for name in ("HOME", "STACK__", "KAFKA__", "ONLINE_STORE__", "LAKE__", "FLINK__REST")
)
_FIRST, _LAST = 24_100, 32_000


def own_settings(home: Path) -> Settings:
    """Return settings of a stack under `home` on a block of free ports.

    Raises EchoPulseError where there is none, or a variable of the environment names another stack.
    """
    elsewhere = sorted(name for name in os.environ if name.upper().startswith(_PLACES))
    if elsewhere:
        raise EchoPulseError(f"{elsewhere[0]} points at another stack than the bench's own", f"unset {elsewhere[0]}")
    first = free_block(range(_FIRST, _LAST, 100))
    ports = {name: first + place for place, name in enumerate(_PORTS)}
    return Settings(home=home, stack=EmbeddedStack(**ports))


def free_block(candidates: Iterable[int]) -> int:
    """Return the first candidate from which a block of ports is free."""
    for first in candidates:
        if all(_is_free(port) for port in range(first, first + _BLOCK)):
            return first
    raise EchoPulseError(f"no {_BLOCK} free ports in a row from {_FIRST} to {_LAST}", "stop what listens there")


def told(state: ServiceState) -> None:
    """Say on stderr what a service does."""
    step(f"{state.name}: {state.phase} {state.detail}".rstrip())


def step(line: str) -> None:
    """Say on stderr what the bench does."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _is_free(port: int) -> bool:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
        return True
