"""A circuit breaker: after failures in a row it lets nothing through for a while, then one call to try."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

State = Literal["closed", "open", "half-open"]


class Breaker:
    """Opens after `failures` in a row, and lets a single call through once `open_s` have passed.

    Closed: calls go out. Open: none does. Half-open: the call to try is out; its success closes the breaker, its
    failure opens it anew. Source of the pattern: M. Nygard, "Release It!", "Circuit Breaker". Not for several threads.
    """

    def __init__(self, failures: int, open_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = failures
        self._open_s = open_s
        self._clock = clock
        self._in_a_row = 0
        self._opened_at = 0.0
        self.state: State = "closed"

    def admits(self) -> bool:
        """Whether a call may go out now; one that may has to be answered by `succeeded`, `failed` or `abandoned`."""
        if self.state == "open" and self._clock() - self._opened_at >= self._open_s:
            self.state = "half-open"
            return True
        return self.state == "closed"

    def succeeded(self) -> None:
        """Note that the service answered; an answer to an older call does not close an open breaker."""
        self._in_a_row = 0
        if self.state == "half-open":
            self.state = "closed"

    def failed(self) -> None:
        """Note that the service did not answer, or not as it should."""
        self._in_a_row += 1
        if self.state == "half-open" or (self.state == "closed" and self._in_a_row >= self._most):
            self.state = "open"
            self._opened_at = self._clock()

    def abandoned(self) -> None:
        """Note that a call that was let through never came to an answer: the next one may try."""
        if self.state == "half-open":
            self.state = "open"
