"""Looking at other processes."""

from __future__ import annotations

import psutil


def ended(pid: int) -> bool:
    """Say whether a process computes no more; until its parent, or who collects orphans, notices, it is a zombie."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
