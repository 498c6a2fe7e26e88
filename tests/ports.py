"""Ports for servers that a test starts, or that nobody shall answer at."""

from __future__ import annotations

import itertools
import os
import socket

#: Below those the system hands out itself: a connection of another test must not get one between look and use.
_FIRST, _BLOCKS, _BLOCK = 22_000, 500, 20
_calls = itertools.count()


def free_ports(count: int) -> range:
    """Return `count` neighbouring ports, 20 at most, that are free now and that no other call gets soon.

    Each call of a process begins at its own block, and processes whose ids follow each other begin far apart. Raises
    OSError where no block has so many free ones.
    """
    if count > _BLOCK:
        raise ValueError(f"{count} ports are more than a block of {_BLOCK}")
    first = os.getpid() * 157 + next(_calls)
    for place in range(first, first + _BLOCKS):
        start = _FIRST + place % _BLOCKS * _BLOCK
        probes = []
        try:
            for port in range(start, start + count):
                probes.append(socket.create_server(("127.0.0.1", port)))  # noqa: PERF401 - those made must be closed
        except OSError:
            continue
        finally:
            for probe in probes:
                probe.close()
        return range(start, start + count)
    raise OSError(f"no {count} neighbouring ports are free")


def free_port() -> int:
    """Return a port that is free now and that no other call gets soon."""
    return free_ports(1)[0]
