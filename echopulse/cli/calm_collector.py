"""Python's garbage collector in a process that makes many small objects and few cycles."""

from __future__ import annotations

import gc

_YOUNG, _MIDDLE, _OLD = 100_000, 20, 50


def calm_collector() -> None:
    """Leave what exists now out of every later collection, and collect less often; call it once all is imported.

    Frames live for moments and hold no cycles. Measured with one websocket source: 21 to 22 us of CPU an event
    became 17 to 20.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
