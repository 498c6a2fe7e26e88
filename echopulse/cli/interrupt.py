"""Ending on a signal: SIGTERM does what Ctrl-C does, and both stop what was started.

A process inherits the signals that its parent ignores. A shell without job control ignores SIGINT for what it starts in
the background, and Python leaves it so: there Ctrl-C's signal is heard again, for who sends it means this process.
`nohup` ignores SIGHUP so that its command outlives the terminal: that is left as it is.
"""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


@contextmanager
def ended_by_signal() -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into KeyboardInterrupt inside the block, so that `with` blocks clean up."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, _interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def hear_interrupts() -> None:
    """Let SIGINT raise KeyboardInterrupt where the parent had it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
