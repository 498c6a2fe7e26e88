"""One service under the supervisor: started, waited for, watched, killed, restarted."""

from __future__ import annotations

import errno
import re
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
_TELLING = re.compile(r"Exception|Error|ERROR|FATAL|Fatal|panic")


class ServiceError(EchoPulseError):
    """A service that crashed or was not ready in time: its name, its log and the last lines of it."""

    def __init__(self, service: str, what: str, log: Path, hint: str = "") -> None:
        """Read the end of the log; the message holds its most telling line, `tail` up to 15."""
        self.service = service
        self.tail = tail(log)
        telling = next((line for line in reversed(self.tail) if _TELLING.search(line)), (self.tail or ("",))[-1])
        quoted = f", near its end: {telling.strip()}" if telling else " (empty)"
        super().__init__(f"{service}: {what}; its log is {log}{quoted}", hint)


def tail(log: Path) -> tuple[str, ...]:
    """Return the last lines of a log, none where there is no log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            return tuple(file.read().decode("utf-8", "replace").splitlines()[-_TAIL_LINES:])
    except FileNotFoundError:
        return ()


class Service:
    """A service of a running stack: `spec` says what it is, the rest is what became of it."""

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

    def announce(self, phase: Phase, detail: str = "", log_tail: tuple[str, ...] = ()) -> None:
        """Change the state and report it."""
        seconds = time.monotonic() - self._began
        self.state = ServiceState(
            self.spec.name, phase, self.spec.address, self.log, self.pid, detail, log_tail, round(seconds, 1)
        )
        self._report(self.state)

    def launch(self) -> None:
        """Start the process; raises EchoPulseError where its configuration or program does not allow it."""
        self._began = time.monotonic()
        self.announce("starting")
        try:
            self._process = spawn(self.spec.launch(), self.log, self._settings.home)
        except OSError as error:
            full = "free disk, or set `home` to another one" if error.errno == errno.ENOSPC else ""
            raise EchoPulseError(f"{self.spec.name}: cannot be started: {error}", full) from error
        self._record = record_of(self._process, self._settings.home)

    def wait_ready(self, cancelled: threading.Event) -> None:
        """Wait until the service is ready; raises ServiceError where it ends, or takes longer than the setting."""
        limit_s = self._settings.start_timeout_s
        deadline = time.monotonic() + limit_s
        while not cancelled.is_set():
            self.check()
            reason = self.spec.unready()
            if not reason:
                self.announce("ready")
                return
            if time.monotonic() > deadline:
                raise self._failed(
                    f"not ready after {limit_s:g} s: {reason}", "raise stack.start_timeout_s if it is slow"
                )
            cancelled.wait(_POLL_S)

    def check(self) -> None:
        """Raise ServiceError with the end of the log where the process has ended."""
        status = self._process.poll() if self._process else None
        if status is not None:
            ending = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with exit code {status}"
            raise self._failed(ending)

    def kill(self) -> None:
        """Kill the process alone with SIGKILL, as a crash would, and wait until it is gone."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """End the process and all it started, also what a crash of it left behind; twice is as good as once."""
        if self._record is None:
            return
        left = terminate(self._record, self.spec.patience_s)
        if left:
            raise EchoPulseError(f"{self.spec.name}: processes {[each.pid for each in left]} survived SIGKILL")
        if self._process:
            self._process.wait()
        self._process = self._record = None
        self.announce("stopped")

    def _failed(self, what: str, hint: str = "") -> ServiceError:
        error = ServiceError(self.spec.name, what, self.log, hint)
        if self.state.phase != "failed":
            self.announce("failed", what, error.tail)
        return error
