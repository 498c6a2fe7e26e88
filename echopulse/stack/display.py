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


@contextlib.contextmanager
def progress(console: Console | None = None) -> Iterator[Callable[[ServiceState], None]]:
    """Yield the function that shows a state; it may be called from any thread."""
    console = console or Console(stderr=True)
    if console.is_terminal:
        with _live(console) as show:
            yield show
    else:
        yield _plain(console)


def table(states: Iterable[ServiceState]) -> Table:
    """Return the services as a table: state, address, pid, seconds since the start, what is to say, log."""
    grid = Table(box=None, pad_edge=False)
    for title in ("service", "state", "address", "pid", "s", "", "log"):
        grid.add_column(title, justify="right" if title in {"pid", "s"} else "left", overflow="fold")
    for state in states:
        grid.add_row(
            state.name,
            f"[{_STYLES.get(state.phase, 'yellow')}]{state.phase}[/]",
            state.address,
            str(state.pid or ""),
            f"{state.seconds:.1f}" if state.seconds else "",
            state.detail,
            _short(state.log),
        )
    return grid


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


@contextlib.contextmanager
def _live(console: Console) -> Iterator[Callable[[ServiceState], None]]:
    states: dict[str, ServiceState] = {}
    lock = threading.Lock()
    with Live(console=console, refresh_per_second=4) as live:

        def show(state: ServiceState) -> None:
            with lock:
                states[state.name] = state
                live.update(table(states.values()))
                for line in state.tail:
                    live.console.print(f"{state.name}: {line}", markup=False, highlight=False)

        yield show


def _plain(console: Console) -> Callable[[ServiceState], None]:
    phases: dict[str, str] = {}
    lock = threading.Lock()

    def show(state: ServiceState) -> None:
        with lock:
            if phases.get(state.name) == state.phase:
                return  # only a terminal wants to see every megabyte
            phases[state.name] = state.phase
            where = (
                f" {state.address} (pid {state.pid}, log {state.log})" if state.phase == "ready" and state.pid else ""
            )
            after = f" after {state.seconds:.1f} s" if state.phase in {"ready", "failed"} else ""
            detail = f": {state.detail}" if state.detail else ""
            lines = [f"{state.name}: {state.phase}{after}{where}{detail}", *(f"  {line}" for line in state.tail)]
            console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)

    return show
