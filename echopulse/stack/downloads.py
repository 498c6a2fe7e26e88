"""The downloads of one start: each group of jars once, however many services wait for it, and cut short on demand."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from echopulse.stack.fetch import fetch, missing
from echopulse.stack.jars import group_named, read_lock
from echopulse.stack.spec import ServiceState
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from echopulse.stack.settings import StackSettings

_REPORT_EVERY_BYTES = 1_000_000


class CancelledError(EchoPulseError):
    """Another service failed meanwhile, so this download is of no use."""


class Downloads:
    """Fetches groups of jars and reports each as a state of its own, named `jars GROUP`."""

    def __init__(
        self, settings: StackSettings, report: Callable[[ServiceState], None], cancelled: threading.Event
    ) -> None:
        """Nothing is fetched yet; `cancelled` ends what is under way with CancelledError."""
        self._settings = settings
        self._report = report
        self._cancelled = cancelled
        self._locks = {name: threading.Lock() for name in read_lock()}
        self._paths: dict[str, list[Path]] = {}

    def ensure(self, name: str) -> list[Path]:
        """Return the group's jars, checked by digest; raises EchoPulseError where one cannot be had."""
        with self._locks[name]:
            if name not in self._paths:
                self._paths[name] = self._fetch(name)
        return self._paths[name]

    def _fetch(self, name: str) -> list[Path]:
        group = group_named(name)
        wanted = sum(jar.size for jar in missing(group, self._settings.jars))
        began, total, told, lock = time.monotonic(), 0, 0, threading.Lock()

        def tell(phase: str) -> None:
            detail = f"{total / 1e6:.1f} of {wanted / 1e6:.1f} MB"
            seconds = round(time.monotonic() - began, 1)
            log = self._settings.jars
            self._report(
                ServiceState(
                    f"jars {name}",
                    "ready" if phase == "ready" else "fetching",
                    str(log),
                    log,
                    detail=detail,
                    seconds=seconds,
                )
            )

        def count(received: int) -> None:
            nonlocal total, told
            if self._cancelled.is_set():
                raise CancelledError(f"the download of {name} was cut short")
            with lock:
                total += received
                if total - told >= _REPORT_EVERY_BYTES:
                    told = total
                    tell("fetching")

        if wanted:
            tell("fetching")
        paths = fetch(group, self._settings.jars, count)
        if wanted:
            tell("ready")
        return paths
