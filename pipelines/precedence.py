"""Who goes first in a Python worker: rows of windows that ended are written before what comes is analysed.

Flink runs all Python functions of a slot in one process, whose threads share its interpreter and the processors. What
the JVM does alike is in `pipelines/java/Precedence.java`.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A write that takes longer, s, waits for the store, and nothing is gained by waiting with it.
LONGEST_S = 1.0


class Precedence:
    """What the writers of a process say to those who can wait; made for any number of threads of either."""

    def __init__(self, longest_s: float = LONGEST_S) -> None:
        self._longest_s = longest_s
        self._changed = threading.Condition()
        self._writes = 0
        self._since = 0.0

    @property
    def under_way(self) -> int:
        """How many write."""
        return self._writes

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Go first while the context lasts."""
        with self._changed:
            if not self._writes:
                self._since = time.monotonic()
            self._writes += 1
        try:
            yield
        finally:
            with self._changed:
                self._writes -= 1
                self._changed.notify_all()

    def give_way(self) -> None:
        """Wait until nobody writes, or until a second after the first of those who do began."""
        with self._changed:
            left_s = self._since + self._longest_s - time.monotonic()
            self._changed.wait_for(lambda: not self._writes, max(0.0, left_s))


#: Of this process.
PRECEDENCE = Precedence()
