"""Waits between connections: growing, jittered, bounded."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from echopulse.gateway.reconnect import reconnecting, wait_before
from echopulse.gateway.source import ConnectionLostError, Limits, StreamEndedError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from echopulse.gateway.source import Message

_LIMITS = Limits(first_wait_s=1.0, longest_wait_s=8.0)


@given(st.integers(1, 50))
def test_a_wait_doubles_up_to_its_limit(attempt: int) -> None:
    """Half is fixed, half random."""
    full = min(8.0, 2.0 ** (attempt - 1))

    assert full / 2 <= wait_before(attempt, _LIMITS) <= full


def test_the_servers_wish_is_heeded_within_the_limit() -> None:
    """A server may ask for more, never for hours."""
    assert wait_before(1, _LIMITS, 5.0) == 5.0
    assert wait_before(1, _LIMITS, 3_600.0) == 8.0


class _Flaky:
    """A source that follows a script: a connection's messages, or the error that it ends with."""

    address = "x"
    server_wait_s = 0.0

    def __init__(self, script: list[list[Message] | Exception]) -> None:
        self._script = iter(script)

    async def messages(self) -> AsyncGenerator[Message, None]:
        step = next(self._script)
        if isinstance(step, Exception):
            raise step
        for message in step:
            yield message


async def test_a_message_starts_the_count_anew() -> None:
    """Five failures, never three in a row without a message between them."""
    lost, good = ConnectionLostError("lost"), [(b"a", "")]
    source = _Flaky([lost, lost, good, lost, good, [(b"b", "")]])
    limits = Limits(first_wait_s=0.001, longest_wait_s=0.001, attempts=3)
    reasons: list[str] = []
    found: list[bytes] = []

    async with aclosing(reconnecting(source, limits, lambda reason, _: reasons.append(reason))) as messages:
        async for data, _ in messages:
            found.append(data)
            if len(found) == 3:
                break

    assert found == [b"a", b"a", b"b"]
    assert reasons == ["lost", "lost", "the server closed the connection", "lost", "the server closed the connection"]


async def test_the_end_that_the_server_declares_is_the_end() -> None:
    """No further connection is made."""
    source = _Flaky([[(b"a", "")], StreamEndedError()])
    limits = Limits(first_wait_s=0.001, longest_wait_s=0.001)

    assert [data async for data, _ in reconnecting(source, limits, lambda _reason, _wait: None)] == [b"a"]
