"""Waits between connections: growing, jittered, bounded."""

from __future__ import annotations

from random import SystemRandom
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from echopulse.gateway.source import Limits

_RANDOM = SystemRandom()


def wait_before(attempt: int, limits: Limits) -> float:
    """Return the wait in seconds after failure number `attempt` in a row (from 1).

    Exponential backoff with equal jitter: half of it is fixed, half random, so that clients do not return at once.
    """
    longest: float = min(limits.longest_wait_s, limits.first_wait_s * 2 ** (attempt - 1))
    return longest / 2 + _RANDOM.random() * longest / 2
