"""One service under the supervisor: started, waited for, watched, killed, restarted."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from echopulse.stack.processes import ProcessRecord, record_of, spawn, terminate
from echopulse.stack.run_file import RunEntry
from echopulse.stack.spec import ServiceState
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    import subprocess
    import threading
    from collections.abc import Callable
    from pathlib import Path

    from echopulse.stack.settings import StackSettings
    from echopulse.stack.spec import Phase, ServiceSpec

_TAIL_LINES = 15
_TAIL_BYTES = 16_384
_POLL_S = 0.2


class ServiceError(EchoPulseError):
    """A service that crashed or was not ready in time; `service` is its name."""

    def __init__(self, service: str, message: str, hint: str = "") -> None:
        """Keep the service's name beside the message."""
        super().__init__(f"{service}: {message}", hint)
        self.service = service


class Service:
    """A service of a running stack; `spec` says what it is, the rest is what became of it."""

    def __init__(self, spec: ServiceSpec, settings: StackSettings, report: Callable[[ServiceState], None]) -> None:
        """Prepare a service that is not started yet; `report` hears of each change."""
        self.spec = spec
        self.log: Path = settings.logs / f"{spec.name}.log"
        self._settings = settings
        self._report = report
        self._process: subprocess.Popen[bytes] | None = None
        self._record: ProcessRecord | None = None
        self._began = time.monotonic()
        self.state = ServiceState(spec.name, "waiting", spec.address, self.log)

    @property
    def pid(self) -> int | None:
        """The process id, None before the start."""
        return self._record.pid if self._record else None

    @property
    def entry(self) -> RunEntry | None:
        """The service's part of the run file, None before the start."""
        if self._record is None:
            return None
        return RunEntry(self.spec.name, self._record, self.spec.address, str(self.log))

    def announce(self, phase: Phase, detail: str = "") -> None:
        """Change the state and report it."""
        self.state = self.state.at(phase, pid=self.pid, detail=detail, seconds=time.monotonic() - self._began)
        self._report(self.state)

    def launch(self) -> None:
        """Start the process; raises EchoPulseError where its configuration or program does not allow it."""
        self._began = time.monotonic()
        self.announce("starting")
        try:
            self._process = spawn(self.spec.launch(), self.log, self._settings.home)
        except OSError as error:
            raise ServiceError(self.spec.name, f"cannot be started: {error}", _os_hint(error)) from error
        self._record = record_of(self._process, self._settings.home)

    def wait_ready(self, cancelled: threading.Event) -> None:
        """Wait until the service is ready; raises ServiceError where it ends or takes longer than the setting allows."""
        deadline = time.monotonic() + self._settings.start_timeout_s
        while not cancelled.is_set():
            self.check()
            reason = self.spec.unready()
            if not reason:
                self.announce("ready")
                return
            if time.monotonic() > deadline:
                self.announce("failed", "not ready in time")
                limit = f"not ready after {self._settings.start_timeout_s:g} s ({reason})"
                raise ServiceError(
                    self.spec.name, f"{limit}; {self.tail()}", "raise stack.start_timeout_s if it is slow"
                )
            cancelled.wait(_POLL_S)

    def check(self) -> None:
        """Raise ServiceError with the end of the log where the process has ended."""
        status = self._process.poll() if self._process else None
        if status is not None:
            ending = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with exit code {status}"
            if self.state.phase != "failed":
                self.announce("failed", ending)
            raise ServiceError(self.spec.name, f"{ending}; {self.tail()}")

    def kill(self) -> None:
        """Kill the process alone with SIGKILL, as a crash would, and wait until it is gone."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """End the process and all it started."""
        if self._record:
            left = terminate([self._record])
            if left:
                raise ServiceError(self.spec.name, f"processes {[each.pid for each in left]} survived SIGKILL")
        if self._process:
            self._process.wait()
        self.announce("stopped")

    def tail(self) -> str:
        """Return where the log is and its last lines."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - _TAIL_BYTES))
                lines = file.read().decode("utf-8", "replace").splitlines()[-_TAIL_LINES:]
        except FileNotFoundError:
            lines = []
        return f"the end of {self.log}:\n" + "\n".join(f"  {line}" for line in lines or ["(empty)"])


def _os_hint(error: OSError) -> str:
    return "the disk is full: free some, or set `home` to another disk" if error.errno == 28 else ""
