"""Fields of many hashes read in one round trip; what the commands have in common is put together once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import redis

from features.machinery.pipelined import arguments, opened, pipelined, sized

if TYPE_CHECKING:
    from collections.abc import Sequence

    from features.machinery.connection import Client

    #: As Feast's types have it; what redis-py gives are bytes.
    Cell = bytes | bytearray | memoryview | None
    Command = tuple[bytes, list[str | bytes]]


#: Commands sent in one go: the time-out of the connection holds for each.
_TOGETHER = 1_000


def read_hash_fields(client: Client, commands: Sequence[Command]) -> list[list[Cell]]:
    """Return the cells of each command, a hash's key and its fields, None for those missing.

    Without commands nothing is sent. Raises redis' errors.
    """
    if not commands:
        return []
    if isinstance(client, redis.Redis):
        parts = (commands[start : start + _TOGETHER] for start in range(0, len(commands), _TOGETHER))
        return pipelined(client, (([_packed(part)], len(part)) for part in parts))
    with client.pipeline(transaction=False) as calls:  # type: ignore[no-untyped-call] # redis has few types here
        for key, fields in commands:
            calls.hmget(key, fields)
        cells: list[list[Cell]] = calls.execute()
    return cells


def _packed(commands: Sequence[Command]) -> bytes:
    pieces: list[bytes] = []
    head = tail = b""
    last: Any = None
    for key, fields in commands:
        if fields is not last:
            names = [field.encode() if isinstance(field, str) else field for field in fields]
            head, tail, last = opened(b"HMGET", 1 + len(names)), b"\r\n" + b"".join(arguments(names)), fields
        pieces += (head, sized(key), key, tail)
    return b"".join(pieces)
