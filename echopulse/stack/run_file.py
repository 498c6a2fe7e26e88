"""home/run/stack.json: which processes a stack consists of, for `down`, `status` and the next `up`."""

from __future__ import annotations

import contextlib
import fcntl
import json
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TextIO

from echopulse.stack.processes import ProcessRecord
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from echopulse.stack.spec import Phase

_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class RunEntry:
    """One service as it was started: what identifies its process, where it listens, where it logs."""

    name: str
    process: ProcessRecord
    address: str
    log: str


@dataclass(frozen=True, slots=True)
class Absence:
    """Why a service that joins later has no process: `fetching` or `failed`. `told_by` is who started the stack."""

    name: str
    phase: Phase
    detail: str
    told_by: ProcessRecord


def path_in(run: Path) -> Path:
    """Return the run file's path in the folder `run`."""
    return run / "stack.json"


def read(run: Path) -> list[RunEntry]:
    """Return the entries, none where there is no run file; raises EchoPulseError where it is damaged."""
    try:
        document = json.loads(path_in(run).read_text("utf-8"))
        return [
            RunEntry(each["name"], ProcessRecord(**each["process"]), each["address"], each["log"])
            for each in document["services"]
        ]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(run, error) from error


def absences(run: Path) -> list[Absence]:
    """Return what is told of services without a process, nothing where there is no run file."""
    try:
        told = json.loads(path_in(run).read_text("utf-8")).get("absent", [])
        return [Absence(each["name"], each["phase"], each["detail"], ProcessRecord(**each["told_by"])) for each in told]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable(run, error) from error


def started_with(run: Path) -> dict[str, Any]:
    """Return the stack settings that a start wrote down, by name, nothing where there is no run file or an older one.

    Raises EchoPulseError where the file is damaged.
    """
    try:
        return dict(json.loads(path_in(run).read_text("utf-8")).get("settings", {}))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise _unreadable(run, error) from error


def write(
    run: Path, entries: Iterable[RunEntry], absent: Iterable[Absence] = (), settings: Mapping[str, Any] | None = None
) -> None:
    """Replace the run file in one step; raises EchoPulseError where the disk does not take it."""
    draft = run / "stack.json.new"
    try:
        run.mkdir(parents=True, exist_ok=True)
        document = {
            "services": [asdict(entry) for entry in entries],
            "absent": [asdict(each) for each in absent],
            "settings": dict(settings or {}),
        }
        draft.write_text(json.dumps(document, indent=1), "utf-8")
        draft.replace(path_in(run))
    except OSError as error:
        raise _unwritable(run, error) from error


def remove(run: Path) -> None:
    """Delete the run file where there is one."""
    path_in(run).unlink(missing_ok=True)


@contextlib.contextmanager
def locked(run: Path, patience_s: float = 0.0) -> Iterator[None]:
    """Hold the folder's lock while a stack starts or stops.

    Raises EchoPulseError where another process still holds it after `patience_s`, or the folder cannot be written.
    """
    try:
        run.mkdir(parents=True, exist_ok=True)
        file = (run / "lock").open("w")
    except OSError as error:
        raise _unwritable(run, error) from error
    deadline = time.monotonic() + patience_s
    with file:
        while not _try_lock(file):
            if time.monotonic() >= deadline:
                raise EchoPulseError(f"another `echopulse up` or `down` is busy in {run.parent}", "wait for it")
            time.sleep(_POLL_S)
        yield


def _try_lock(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _unreadable(run: Path, error: Exception) -> EchoPulseError:
    return EchoPulseError(
        f"the run file {path_in(run)} is unreadable: {error!r}",
        "end the stack's processes by hand, then delete the file",
    )


def _unwritable(run: Path, error: OSError) -> EchoPulseError:
    return EchoPulseError(f"cannot write in {run}: {error}", "set `home` to a folder that can be written to")
