"""Shows a stack while it starts: a live table on a terminal, one line per change elsewhere; always on stderr."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from echopulse.stack.spec import ServiceState

_STYLES = {"ready": "green", "failed": "red", "stopped": "dim", "fetching": "cyan"}
_AFTER = "ready after"


class Shown:
    """Shows a state when it is called, from any thread: in a table until `rest`, in lines from then on.

    A terminal has one cursor: a table that is still redrawn would tear whatever else is drawn.
    """

    def __init__(self, console: Console) -> None:
        """Draw on `console`; where it is no terminal there is no table."""
        self._lock = threading.Lock()
        self._states: dict[str, ServiceState] = {}
        self._told = _plain(console)
        self._live = Live(console=console, refresh_per_second=4) if console.is_terminal else None
        if self._live is not None:
            self._live.start()

    def __call__(self, state: ServiceState) -> None:
        """Show a service's state."""
        with self._lock:
            self._states[state.name] = state
            if self._live is None:
                self._told(state)
                return
            self._live.update(table(self._states.values()))
            for line in state.tail:
                self._live.console.print(f"{state.name}: {line}", markup=False, highlight=False)

    def rest(self) -> None:
        """Leave the table standing; what changes later is told in lines."""
        with self._lock:
            live, self._live = self._live, None
            if live is not None:
                live.stop()


@contextlib.contextmanager
def progress(console: Console | None = None) -> Iterator[Shown]:
    """Yield what shows a state; it rests at the end."""
    shown = Shown(console or Console(stderr=True))
    try:
        yield shown
    finally:
        shown.rest()


def table(states: Iterable[ServiceState]) -> Table:
    """Return the services as a table: state, address, pid, seconds from start to ready, what is to say, log.

    A log is named once it is there, and the seconds where any are known.
    """
    shown = list(states)
    timed = any(state.seconds for state in shown)
    grid = Table(box=None, pad_edge=False)
    for title in ("service", "state", "address", "pid", *([_AFTER] if timed else []), "note", "log"):
        grid.add_column(title, justify="right" if title in {"pid", _AFTER} else "left", overflow="fold")
    for state in shown:
        after = f"{state.seconds:.1f} s" if state.seconds and state.phase == "ready" else ""
        grid.add_row(
            state.name,
            f"[{_STYLES.get(state.phase, 'yellow')}]{state.phase}[/]",
            state.address,
            str(state.pid or ""),
            *([after] if timed else []),
            state.detail,
            _short(state.log) if state.log.exists() else "",
        )
    return grid


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _plain(console: Console) -> Callable[[ServiceState], None]:
    phases: dict[str, str] = {}

    def show(state: ServiceState) -> None:
        if phases.get(state.name) == state.phase:
            return  # only a table wants to see every megabyte
        phases[state.name] = state.phase
        where = f" {state.address} (pid {state.pid}, log {state.log})" if state.phase == "ready" and state.pid else ""
        after = f" after {state.seconds:.1f} s" if state.phase in {"ready", "failed"} else ""
        detail = f": {state.detail}" if state.detail else ""
        lines = [f"{state.name}: {state.phase}{after}{where}{detail}", *(f"  {line}" for line in state.tail)]
        console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)

    return show
