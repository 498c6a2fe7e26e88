"""What a home's run file says from any process: which services run, and how to stop them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from echopulse.stack import run_file
from echopulse.stack.processes import is_alive, members, terminate
from echopulse.stack.services import late_specs, specs
from echopulse.stack.spec import ServiceState
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from echopulse.stack.run_file import Absence, RunEntry
    from echopulse.stack.settings import StackSettings
    from echopulse.stack.spec import ServiceSpec

#: How long `down` waits for an `up` or `down` that is under way, seconds.
_PATIENCE_S = 10.0


def as_started(settings: StackSettings) -> StackSettings:
    """Return the settings by which this home's stack was started, these where none was: ports may differ since."""
    return settings.as_told(run_file.started_with(settings.run))


def describe(settings: StackSettings) -> list[ServiceState]:
    """Return every service's state: ready, starting (running, but its health check fails), failed or stopped.

    One that joins later is `fetching` while it is installed. Services are asked where they were started, whatever
    the settings here say: at another port another stack may answer.
    """
    settings = as_started(settings)
    entries = {entry.name: entry for entry in run_file.read(settings.run)}
    absent = {each.name: each for each in run_file.absences(settings.run)}
    # A service that joins later is told where one was started, whatever the settings here say.
    late = [each for each in late_specs(replace(settings, mlflow=True)) if each.name in entries.keys() | absent.keys()]
    services = (*specs(settings), *(late or late_specs(settings)))

    def state(spec: ServiceSpec) -> ServiceState:
        entry = entries.get(spec.name)
        return _running(spec, entry) if entry else _absent(spec, absent.get(spec.name), settings)

    with ThreadPoolExecutor() as pool:
        return list(pool.map(state, services))


def stop(settings: StackSettings) -> list[str]:
    """Stop the stack that the run file of this home describes; returns the names of the services that were running.

    Only processes whose pid and create time match are touched. Raises EchoPulseError where one survives.
    """
    everyone = (*specs(settings), *late_specs(replace(settings, mlflow=True)))
    patience = {spec.name: spec.patience_s for spec in everyone}
    with run_file.locked(settings.run, _PATIENCE_S):
        entries, told = run_file.read(settings.run), run_file.started_with(settings.run)
        running = [entry for entry in entries if members(entry.process)]
        # Removed first: the `up` that watches these processes then knows that nothing crashed.
        run_file.remove(settings.run)
        with ThreadPoolExecutor() as pool:
            left = list(pool.map(lambda entry: terminate(entry.process, patience[entry.name]), running))
        survivors = sorted(process.pid for each in left for process in each)
        if survivors:
            run_file.write(settings.run, entries, settings=told)
            raise EchoPulseError(f"processes {survivors} of the stack in {settings.home} survived SIGKILL")
    return [entry.name for entry in running]


def _running(spec: ServiceSpec, entry: RunEntry) -> ServiceState:
    pid, log = entry.process.pid, Path(entry.log)
    if not any(process.pid == pid for process in members(entry.process)):
        return ServiceState(spec.name, "failed", entry.address, log, detail=f"process {pid} has ended")
    reason = spec.unready()
    return ServiceState(spec.name, "starting" if reason else "ready", entry.address, log, pid, reason)


def _absent(spec: ServiceSpec, absence: Absence | None, settings: StackSettings) -> ServiceState:
    log = settings.logs / f"{spec.name}.log"
    if absence is None:
        return ServiceState(spec.name, "stopped", spec.address, log)
    if not is_alive(absence.told_by):
        return ServiceState(spec.name, "stopped", spec.address, log, detail="what should have started it has ended")
    return ServiceState(spec.name, absence.phase, spec.address, log, detail=absence.detail)
