"""`echopulse down` and `echopulse status`: the embedded stack of this home, seen from outside `up`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.output import emit
from echopulse.cli.steps import step

if TYPE_CHECKING:
    from echopulse.stack import ServiceState, StackSettings

_WIDTH = 250


def down(*, options: GlobalOptions = NO_OPTIONS) -> None:
    """Stop what `echopulse up` started in this home, and nothing else.

    Processes are known by pid and create time from home/run/stack.json; each gets SIGTERM, and SIGKILL 20 s later.
    It then waits for the end of the `up` or `run` itself, 60 s at most.
    """
    from echopulse import stack

    settings = options.settings()
    stopped = stack.stop(settings)
    stack.wait_for_end(settings, step)
    nothing = f"no stack was running in {settings.home}"
    emit({"stopped": stopped}, options.json, f"stopped: {', '.join(stopped)}" if stopped else nothing)


def status(*, options: GlobalOptions = NO_OPTIONS) -> None:
    """Show each service of this home's embedded stack: its state, address, pid and log.

    A stack that runs is shown as it was started, also where the settings name other ports since.
    """
    from echopulse import stack

    settings = options.settings()
    asked, started = stack.stack_settings(settings), stack.as_started(settings)
    states = stack.describe(settings)
    document = {"home": started.home, "services": [_document(state) for state in states]}
    emit(document, options.json, lambda: "\n".join([f"home: {settings.home}", *_other(asked, started), _text(states)]))


def _other(asked: StackSettings, started: StackSettings) -> list[str]:
    """Say where the settings name something else than the stack was started with."""
    before, now = started.told, asked.told
    changed = [f"{name} {before[name]}, now {now[name]}" for name in before if before[name] != now[name]]
    return [f"started with other settings: {'; '.join(changed)}"] if changed else []


def _document(state: ServiceState) -> dict[str, object]:
    document = asdict(state)
    shown = {key: document[key] for key in ("name", "phase", "address", "pid", "log", "detail")}
    return shown if state.log.exists() else shown | {"log": None}


def _text(states: list[ServiceState]) -> str:
    from rich.console import Console

    from echopulse.stack.display import table

    # Wide, so that an address or a path in a pipe is never broken over two lines.
    console = Console(width=_WIDTH)
    with console.capture() as capture:
        console.print(table(states))
    return "\n".join(line.rstrip() for line in capture.get().splitlines())
