"""Rows to the nodes of a Redis Cluster: each node's in one round trip, redirections followed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from redis.crc import key_slot
from redis.exceptions import ResponseError

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis
    from redis.cluster import RedisCluster

    from features.machinery.redis_format import EncodedRows

#: What a script says that meets a key of another node, or of a slot on its way to one. No own class of error.
_MOVED = "non local key"


def write_to_cluster(
    cluster: RedisCluster,
    rows: EncodedRows,
    call: Callable[[redis.Redis, EncodedRows], int],
    call_at_key: Callable[[bytes, EncodedRows], int],
) -> int:
    """Write rows by `call`, once a node, all nodes at the same time; return how many were new enough.

    A node refuses keys that it holds no more, or is about to hand over. The map of slots is read anew then and the
    node's rows are sent again: no row is harmed by being written twice. What is refused once more lies in a slot that
    is on its way: it goes key by key through `call_at_key`, by which redis-py follows MOVED and ASK.
    """
    written, left = _by_node(cluster, rows, call)
    if left is not None:
        cluster.nodes_manager.initialize()  # type: ignore[no-untyped-call] # redis has few types here
        again, left = _by_node(cluster, left, call)
        written += again
    if left is not None:
        written += sum(call_at_key(key, _taken(left, [place])) for place, key in enumerate(keys(left)))
    return written


def keys(rows: EncodedRows) -> list[bytes]:
    """Return the key of each encoded row, which comes first, after its length in four bytes."""
    data = rows.rows.to_pylist()
    return [row[4 : 4 + int.from_bytes(row[:4], "little")] for row in data]


def _by_node(
    cluster: RedisCluster, rows: EncodedRows, call: Callable[[redis.Redis, EncodedRows], int]
) -> tuple[int, EncodedRows | None]:
    """Send each node its rows; return how many were written and the rows of nodes that refused theirs."""
    places: dict[str, list[int]] = {}
    # A key's slot is a call to C each, 0.5 us: a tenth of what the server then spends on the row.
    for place, key in enumerate(keys(rows)):
        node = cluster.nodes_manager.get_node_from_slot(key_slot(key))
        places.setdefault(node.name, []).append(place)
    with ThreadPoolExecutor(len(places)) as pool:
        parts = {name: _taken(rows, of_node) for name, of_node in places.items()}
        counts = dict(zip(parts, pool.map(partial(_call, cluster, call), parts.items()), strict=True))
    refused = [place for name, count in counts.items() if count is None for place in places[name]]
    return sum(count for count in counts.values() if count is not None), _taken(rows, refused) if refused else None


def _call(
    cluster: RedisCluster, call: Callable[[redis.Redis, EncodedRows], int], part: tuple[str, EncodedRows]
) -> int | None:
    """Return how many rows a node wrote; None where it refused a key."""
    name, rows = part
    node: Any = cluster.get_node(node_name=name)  # type: ignore[no-untyped-call]
    try:
        return call(cluster.get_redis_connection(node), rows)  # type: ignore[no-untyped-call]
    except ResponseError as error:
        if _MOVED in str(error):
            return None
        raise


def _taken(rows: EncodedRows, places: list[int]) -> EncodedRows:
    return replace(rows, rows=rows.rows.take(pa.array(places, pa.int64())))
