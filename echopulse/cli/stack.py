"""`echopulse down` and `echopulse status`: the embedded stack of this home, seen from outside `up`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.output import emit

if TYPE_CHECKING:
    from echopulse.stack import ServiceState

_WIDTH = 250


def down(*, options: GlobalOptions = NO_OPTIONS) -> None:
    """Stop what `echopulse up` started in this home, and nothing else.

    Processes are known by pid and create time from home/run/stack.json; each gets SIGTERM, and SIGKILL 20 s later.
    """
    from echopulse import stack

    settings = options.settings()
    stopped = stack.stop(settings)
    nothing = f"no stack was running in {settings.home}"
    emit({"stopped": stopped}, options.json, f"stopped: {', '.join(stopped)}" if stopped else nothing)


def status(*, options: GlobalOptions = NO_OPTIONS) -> None:
    """Show each service of the embedded stack: its state, address, pid and log."""
    from echopulse import stack

    states = stack.describe(options.settings())
    emit({"services": [_document(state) for state in states]}, options.json, lambda: _text(states))


def _document(state: ServiceState) -> dict[str, object]:
    document = asdict(state)
    return {key: document[key] for key in ("name", "phase", "address", "pid", "log", "detail")}


def _text(states: list[ServiceState]) -> str:
    from rich.console import Console

    from echopulse.stack.display import table

    # Wide, so that an address or a path in a pipe is never broken over two lines.
    console = Console(width=_WIDTH)
    with console.capture() as capture:
        console.print(table(states))
    return "\n".join(line.rstrip() for line in capture.get().splitlines())
