"""Fields of many hashes: what HMGET answers, for any keys and fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.machinery.hash_reads import read_hash_fields

if TYPE_CHECKING:
    from features.machinery.hash_reads import Command

KEYS = [b"a", b"", b"\r\n$3", "ünï".encode()]
FIELDS: list[str | bytes] = ["_ts:view", b"\x00\xff\r\n", "ünï", b""]


def run(client: redis.Redis, *parts: str | bytes) -> object:
    """What a command answers; redis-py's own methods want keys that are text."""
    answer: object = client.execute_command(*parts)  # type: ignore[no-untyped-call] # redis has few types here
    return answer


@given(
    st.dictionaries(
        st.sampled_from(KEYS), st.dictionaries(st.sampled_from(FIELDS), st.binary(max_size=40), min_size=1)
    ),
    st.lists(st.lists(st.sampled_from(FIELDS), min_size=1), min_size=1, max_size=3),
    st.lists(st.tuples(st.sampled_from(KEYS), st.integers(0, 2)), max_size=12),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_cells_are_those_of_plain_commands(
    client: redis.Redis,
    stored: dict[bytes, dict[str | bytes, bytes]],
    groups: list[list[str | bytes]],
    asked: list[tuple[bytes, int]],
) -> None:
    """Commands may share their fields or not, in any order; what is missing is None."""
    client.flushall()
    for key, cells in stored.items():
        run(client, "HSET", key, *(part for cell in cells.items() for part in cell))
    commands: list[Command] = [(key, groups[place % len(groups)]) for key, place in asked]
    assert read_hash_fields(client, commands) == [run(client, "HMGET", key, *fields) for key, fields in commands]


def test_a_key_of_another_use_is_the_servers_error(client: redis.Redis) -> None:
    """As redis-py raises it."""
    client.set("text", "x")
    with pytest.raises(redis.ResponseError, match="wrong kind of value"):
        read_hash_fields(client, [(b"text", ["a"]), (b"none", ["a"])])


def test_nothing_is_asked_for_nothing() -> None:
    """Not even whether the server is there."""
    with redis.Redis("127.0.0.1", 1, socket_timeout=1) as away:
        assert read_hash_fields(away, []) == []


@pytest.mark.parametrize("count", [999, 1_000, 2_500])
def test_any_number_of_hashes_is_read(client: redis.Redis, count: int) -> None:
    """However they are sent."""
    with client.pipeline(transaction=False) as calls:
        for number in range(count):
            calls.hset(f"{number}", "n", str(number))
        calls.execute()
    fields: list[str | bytes] = ["n"]
    cells = read_hash_fields(client, [(b"%d" % number, fields) for number in range(count)])
    assert cells == [[b"%d" % number] for number in range(count)]
