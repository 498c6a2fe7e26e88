"""Connects to a live source again and again, with growing, jittered waits and a limit."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from random import SystemRandom
from typing import TYPE_CHECKING

from echopulse.gateway.source import ConnectionLostError, StreamEndedError
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from echopulse.gateway.source import Limits, LiveSource, Message

_RANDOM = SystemRandom()


async def reconnecting(
    source: LiveSource, limits: Limits, told: Callable[[str, float], None]
) -> AsyncGenerator[Message, None]:
    """Yield a source's messages over all its connections; `told(reason, wait_s)` is called before each wait.

    A message taken whole starts the count of attempts anew. Raises EchoPulseError when `limits.attempts` connections
    in a row have failed or ended without one, and for what no attempt can mend.
    """
    failed = 0
    while True:
        reason, asked_s = "the server closed the connection", 0.0
        try:
            async with aclosing(source.messages()) as messages:
                async for data, fault in messages:
                    failed = failed if fault else 0
                    yield data, fault
        except StreamEndedError:
            return
        except ConnectionLostError as error:
            reason, asked_s = str(error), error.wait_s
        failed += 1
        if failed >= limits.attempts:
            raise EchoPulseError(f"{source.address} was given up after {failed} attempts in a row: {reason}")
        wait_s = wait_before(failed, limits, max(asked_s, source.server_wait_s))
        told(reason, wait_s)
        await asyncio.sleep(wait_s)


def wait_before(attempt: int, limits: Limits, server_wait_s: float = 0.0) -> float:
    """Return the wait in seconds after failure number `attempt` in a row (from 1), at least what the server asks for.

    Exponential backoff with equal jitter: half of it is fixed, half random, so that clients do not return at once.
    """
    longest: float = min(limits.longest_wait_s, limits.first_wait_s * 2 ** (attempt - 1))
    jittered = longest / 2 + _RANDOM.random() * longest / 2
    return max(jittered, min(server_wait_s, limits.longest_wait_s))
