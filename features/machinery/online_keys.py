"""Which entities the online store holds: its keys, taken apart again into the values of the join keys."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import redis
from redis.exceptions import RedisClusterException

from features.machinery.redis_format import INT64_KEY, STRING_KEY, key_prefix
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from features.machinery.connection import Client
    from features.machinery.view_spec import Column

#: Keys that one call of SCAN looks at, and those that a list yields together.
_A_CALL, _A_LIST = 1_000, 10_000
_TYPES = {"string": STRING_KEY, "int64": INT64_KEY}
_HEAD = struct.Struct("<II")
_SPECIAL = b"*?[]^\\"


def online_entities(
    client: Client, project: str, join_keys: Sequence[Column], most: int
) -> Iterator[list[tuple[object, ...]]]:
    """Yield the values of `join_keys`, in their order, of the entities that have a key in the store.

    At most `most` keys are looked at; an entity may come twice. Raises EchoPulseError where the store is away.
    """
    prefix = key_prefix(join_keys)
    pattern = b"".join(b"\\" + bytes([byte]) if byte in _SPECIAL else bytes([byte]) for byte in prefix) + b"*"
    found: list[tuple[object, ...]] = []
    try:
        for place, key in enumerate(client.scan_iter(match=pattern, count=_A_CALL)):
            if place == most:
                break
            values = entity_of(key, project, join_keys)
            if values is not None:
                found.append(values)
            if len(found) == _A_LIST:
                yield found
                found = []
    except (redis.RedisError, RedisClusterException) as error:
        raise EchoPulseError(f"cannot list the online store's keys: {error}") from error
    yield found


def entity_of(key: bytes, project: str, join_keys: Sequence[Column]) -> tuple[object, ...] | None:
    """Return the values of `join_keys` in a key of the store; None where it is of another project or other keys."""
    prefix, ending = key_prefix(join_keys), project.encode()
    if not key.startswith(prefix) or not key.endswith(ending):
        return None
    position, values = len(prefix), {}
    for column in sorted(join_keys, key=lambda column: column.name):
        if len(key) < position + _HEAD.size:
            return None
        kind, size = _HEAD.unpack_from(key, position)
        content = key[position + _HEAD.size : position + _HEAD.size + size]
        if kind != _TYPES.get(column.type) or len(content) < size:
            return None
        position += _HEAD.size + size
        try:
            values[column.name] = content.decode() if kind == STRING_KEY else struct.unpack("<q", content)[0]
        except (UnicodeDecodeError, struct.error):
            return None  # nobody who keeps to the format wrote it
    return tuple(values[column.name] for column in join_keys) if key[position:] == ending else None
