from __future__ import annotations

import gc
import subprocess
import sys


def test_what_exists_is_left_alone_and_cycles_are_still_collected() -> None:
    """In a process of its own: the settings hold for all of it."""
    program = """
import gc, weakref
from echopulse.cli.calm_collector import calm_collector
class Ring: pass
calm_collector()
assert gc.isenabled() and gc.get_freeze_count() > 1_000, gc.get_freeze_count()
ring = Ring(); ring.self = ring; gone = weakref.ref(ring)
del ring
kept = [[] for _ in range(gc.get_threshold()[0] + 1_000)]
assert gone() is None
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    assert gc.get_freeze_count() == 0
