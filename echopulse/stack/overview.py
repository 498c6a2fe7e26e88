"""What a home's run file says from any process: which services run, and how to stop them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from echopulse.stack import run_file
from echopulse.stack.processes import members, terminate
from echopulse.stack.services import specs
from echopulse.stack.spec import ServiceState
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from echopulse.stack.run_file import RunEntry
    from echopulse.stack.settings import StackSettings
    from echopulse.stack.spec import ServiceSpec

#: How long `down` waits for an `up` or `down` that is under way, seconds.
_PATIENCE_S = 10.0
_TRACKING = "mlflow"


def describe(settings: StackSettings) -> list[ServiceState]:
    """Return every service's state: ready, starting (running, but its health check fails), failed or stopped."""
    entries = {entry.name: entry for entry in run_file.read(settings.run)}
    # A tracking server is told where one was started, whatever the settings here say.
    services = specs(replace(settings, mlflow=settings.mlflow or _TRACKING in entries))
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda spec: _state(spec, entries.get(spec.name), settings), services))


def stop(settings: StackSettings) -> list[str]:
    """Stop the stack that the run file of this home describes; returns the names of the services that were running.

    Only processes whose pid and create time match are touched. Raises EchoPulseError where one survives.
    """
    patience = {spec.name: spec.patience_s for spec in specs(replace(settings, mlflow=True))}
    with run_file.locked(settings.run, _PATIENCE_S):
        entries = run_file.read(settings.run)
        running = [entry for entry in entries if members(entry.process)]
        # Removed first: the `up` that watches these processes then knows that nothing crashed.
        run_file.remove(settings.run)
        with ThreadPoolExecutor() as pool:
            left = list(pool.map(lambda entry: terminate(entry.process, patience[entry.name]), running))
        survivors = sorted(process.pid for each in left for process in each)
        if survivors:
            run_file.write(settings.run, entries)
            raise EchoPulseError(f"processes {survivors} of the stack in {settings.home} survived SIGKILL")
    return [entry.name for entry in running]


def _state(spec: ServiceSpec, entry: RunEntry | None, settings: StackSettings) -> ServiceState:
    if entry is None:
        return ServiceState(spec.name, "stopped", spec.address, settings.logs / f"{spec.name}.log")
    pid, log = entry.process.pid, Path(entry.log)
    if not any(process.pid == pid for process in members(entry.process)):
        return ServiceState(spec.name, "failed", entry.address, log, detail=f"process {pid} has ended")
    reason = spec.unready()
    return ServiceState(spec.name, "starting" if reason else "ready", entry.address, log, pid, reason)
