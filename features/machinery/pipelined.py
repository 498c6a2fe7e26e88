"""Commands to one server, each sent as soon as it is there, all answers read at the end: one round trip.

redis-py's pipeline waits for the last command before it sends the first, and packs every argument of every command
anew. The protocol is RESP: an array of byte strings a command, https://redis.io/docs/latest/develop/reference/protocol-spec.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from redis.exceptions import ResponseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import redis

    Bytes = bytes | memoryview


def pipelined(client: redis.Redis, requests: Iterable[tuple[Sequence[Bytes], int]]) -> list[Any]:
    """Send requests, each the bytes of commands and how many they are, as they come; return the answers in order.

    What the server answers to the first is waited for after the last is sent. Raises the first error that the server
    answered with, after all answers were read; redis' errors of the connection; and what `requests` raise.
    """
    connection = client.connection_pool.get_connection()
    try:
        expected = 0
        for pieces, commands in requests:
            # A health check between requests would take the answer to one of them for its own.
            connection.send_packed_command(pieces, check_health=not expected)
            expected += commands
        answers = [_answer(connection) for _ in range(expected)]
    except BaseException:
        connection.disconnect()  # answers may be under way: they belong to no later command
        raise
    finally:
        client.connection_pool.release(connection)
    for answer in answers:
        if isinstance(answer, ResponseError):
            raise answer
    return answers


def arguments(parts: Iterable[Bytes]) -> list[Bytes]:
    """Return arguments of a command as they are sent, in pieces: none is copied."""
    return [piece for part in parts for piece in (sized(part), part, b"\r\n")]


def sized(part: Bytes) -> bytes:
    """Return what stands before an argument: its length."""
    return b"$%d\r\n" % len(part)


def opened(command: bytes, count: int) -> bytes:
    """Return the beginning of a command that has `count` arguments."""
    return b"*%d\r\n%b%b\r\n" % (count + 1, sized(command), command)


def _answer(connection: Any) -> Any:  # noqa: ANN401 redis types neither
    try:
        return connection.read_response()
    except ResponseError as error:
        return error
