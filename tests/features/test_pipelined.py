"""Commands in one round trip: all answers in order, errors raised after them, nothing left behind on the connection."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.machinery.pipelined import arguments, opened, pipelined

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from features.machinery.pipelined import Bytes

_WAIT_S = 10
Request = tuple["Sequence[Bytes]", int]


def command(name: bytes, *parts: Bytes) -> list[Bytes]:
    """A command as it is sent."""
    return [opened(name, len(parts)), *arguments(parts)]


def opened_connection(client: redis.Redis) -> tuple[Any, Any]:
    """The connection that the client's next command goes over, and its socket."""
    client.ping()
    connection = client.connection_pool.get_connection()
    client.connection_pool.release(connection)
    return connection, connection._sock


@given(st.lists(st.binary(max_size=300), max_size=20))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_answers_come_in_order(client: redis.Redis, values: list[bytes]) -> None:
    """Any bytes, as bytes or a view of them."""
    requests = [(command(b"ECHO", value if place % 2 else memoryview(value)), 1) for place, value in enumerate(values)]
    assert pipelined(client, requests) == values


def test_a_request_may_be_several_commands(client: redis.Redis) -> None:
    """One answer for each."""
    both: list[Bytes] = [*command(b"SET", b"a", b"1"), *command(b"INCR", b"a")]
    assert pipelined(client, [(both, 2), (command(b"GET", b"a"), 1)]) == [b"OK", 2, b"2"]


def test_a_request_is_worked_on_before_the_next_is_there(client: redis.Redis, valkey: str) -> None:
    """Its answer is not waited for, and it does not wait for others."""
    host, port = valkey.split(":")

    def requests() -> Iterator[Request]:
        with redis.Redis(host, int(port), socket_timeout=5) as other:
            for place in range(3):
                yield command(b"INCR", b"calls"), 1
                deadline = time.monotonic() + _WAIT_S
                while int(other.get("calls") or 0) <= place:
                    assert time.monotonic() < deadline, f"request {place} waits for the next"
                    time.sleep(0.005)

    assert pipelined(client, requests()) == [1, 2, 3]


def test_an_error_of_the_server_is_raised_after_all_answers(client: redis.Redis) -> None:
    """The commands after it are carried out, and the connection stays open for the next one, which gets its answer."""
    connection, socket = opened_connection(client)
    requests = [(command(b"GET"), 1), (command(b"NOTHING"), 1), (command(b"SET", b"a", b"1"), 1)]
    with pytest.raises(redis.ResponseError, match="wrong number of arguments for 'get'"):
        pipelined(client, requests)
    assert client.get("a") == b"1"
    assert opened_connection(client) == (connection, socket)


def test_a_request_that_is_not_made_leaves_no_answer_behind(client: redis.Redis) -> None:
    """The answers to what was sent are not taken for those of the next command: the connection is closed at once."""
    connection, _ = opened_connection(client)

    def requests() -> Iterator[Request]:
        yield command(b"ECHO", b"first"), 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pipelined(client, requests())
    assert connection._sock is None
    assert client.echo("next") == b"next"


def test_a_connection_is_checked_before_the_first_request_alone(valkey: str) -> None:
    """A check in between would take an answer for its own."""
    host, port = valkey.split(":")
    with redis.Redis(host, int(port), socket_timeout=5, health_check_interval=30) as client:
        connection, socket = opened_connection(client)

        def requests() -> Iterator[Request]:
            for word in (b"a", b"b", b"c"):
                yield command(b"ECHO", word), 1
                connection.next_health_check = 1  # long due

        assert pipelined(client, requests()) == [b"a", b"b", b"c"]
        assert opened_connection(client) == (connection, socket)


def test_a_server_that_is_away_is_redis_error() -> None:
    """What retries know."""
    with redis.Redis("127.0.0.1", 1, socket_timeout=1) as away, pytest.raises(redis.ConnectionError):
        pipelined(away, [(command(b"ECHO", b"x"), 1)])
