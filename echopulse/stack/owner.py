"""The process that keeps a stack running, an `up` or a `run`, noted in the home so that `down` can wait for its end."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from echopulse.stack.processes import ProcessRecord, is_alive, own_record
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from echopulse.stack.settings import StackSettings

#: It sees within 2 s that its services are gone, and then waits for threads that ask them: for Kafka 10 s.
PATIENCE_S = 60.0
_POLL_S = 0.1


def note(settings: StackSettings) -> None:
    """Write down that this process keeps the stack of the home; raises EchoPulseError where the disk does not take it.

    The note is never removed: a process that has ended is told from one that was given its pid since.
    """
    file = _file(settings)
    draft = file.with_name(f"{file.name}.new")
    try:
        draft.write_text(json.dumps(asdict(own_record(settings.home))), "utf-8")
        draft.replace(file)
    except OSError as error:
        raise EchoPulseError(
            f"cannot write {file}: {error}", "set `home` to a folder that can be written to"
        ) from error


def wait_for_end(settings: StackSettings, on_wait: Callable[[str], None], patience_s: float) -> None:
    """Wait until the process that kept this home's stack has ended, this one aside; `on_wait` hears whom it waits for.

    Raises EchoPulseError where it runs on after `patience_s`.
    """
    record = _noted(_file(settings))
    if record is None or record.pid == os.getpid() or not is_alive(record):
        return
    on_wait(f"waiting for the `up` or `run` of this stack to end (pid {record.pid})")
    deadline = time.monotonic() + patience_s
    while is_alive(record):
        if time.monotonic() > deadline:
            raise EchoPulseError(
                f"the services are stopped, but the process that kept them, {record.pid}, has not ended after "
                f"{patience_s:g} s",
                f"`kill {record.pid}` ends it",
            )
        time.sleep(_POLL_S)


def _noted(file: Path) -> ProcessRecord | None:
    try:
        return ProcessRecord(**json.loads(file.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None  # nothing to wait for: the services themselves are in the run file


def _file(settings: StackSettings) -> Path:
    return settings.run / "owner.json"
