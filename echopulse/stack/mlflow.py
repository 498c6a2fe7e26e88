"""MLflow from its wheels, in an environment of its own: the tracking server and the models that it keeps."""

from __future__ import annotations

import fcntl
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import httpx
import psutil

from echopulse.stack.settings import HOST
from echopulse.stack.spec import PATIENCE_S, Launch, Port
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from echopulse.stack.settings import StackSettings

#: What is installed: versions and digests. MLflow asks for other versions of two packages than the rest of the project.
LOCK = Path(__file__).with_name("mlflow.txt")
#: What its installation takes in the cache.
DISK = "0.8 GB"
_COMPLETE = ".complete"
_INSTALL_S = 900
_TIMEOUT_S = 3.0
_POLL_S = 0.2
# A stack that runs has other work for the processor.
_NICENESS = 10


@dataclass(frozen=True, slots=True)
class Mlflow:
    """The tracking server: runs in SQLite, artifacts in a folder, both in the home."""

    settings: StackSettings
    name: str = "mlflow"
    jar_groups: tuple[str, ...] = ()
    patience_s: float = PATIENCE_S

    @property
    def address(self) -> str:
        """The server's URL."""
        return f"http://{HOST}:{self.settings.mlflow_port}"

    @property
    def ports(self) -> tuple[Port, ...]:
        """One port."""
        return (Port(self.settings.mlflow_port, "stack.mlflow_port"),)

    @property
    def missing(self) -> str:
        """The disk that its installation takes, '' where it is there."""
        return "" if (_folder(self.settings.cache) / _COMPLETE).is_file() else f"{DISK} of disk"

    def prepare(self, cancelled: threading.Event) -> None:
        """Install the server where it is not yet; raises EchoPulseError where that fails or is cancelled."""
        installed(self.settings.cache, cancelled)

    def launch(self) -> Launch:
        """Install the server where it is not yet and return its command; raises EchoPulseError where that fails."""
        python = installed(self.settings.cache)
        folder = self.settings.data(self.name)
        (folder / "artifacts").mkdir(parents=True, exist_ok=True)
        options = {
            "--host": HOST,
            "--port": str(self.settings.mlflow_port),
            "--backend-store-uri": f"sqlite:///{folder / 'mlflow.db'}",
            "--artifacts-destination": str(folder / "artifacts"),
            "--workers": "1",
        }
        quiet = {
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "PYTHONWARNINGS": "ignore",
        }
        # Started within the environment's own Python: nothing of ours may be on its path.
        return Launch(
            (str(python), "-m", "mlflow", "server", *(part for option in options.items() for part in option)),
            quiet | {"PYTHONPATH": ""},
        )

    def unready(self) -> str:
        """Return why the server does not answer yet, or ''."""
        try:
            answer = httpx.get(f"{self.address}/health", timeout=_TIMEOUT_S, trust_env=False)
        except httpx.ConnectError:
            return "it does not listen yet"
        except httpx.HTTPError as error:
            return f"no answer: {error}"
        return "" if answer.is_success else f"it answers {answer.status_code}"


def installed(cache: Path, cancelled: threading.Event | None = None) -> Path:
    """Return the Python of the server's environment, made once for each lock.

    Raises EchoPulseError where that fails, or `cancelled` is set meanwhile: nothing of it then runs on.
    """
    cancelled = cancelled or threading.Event()
    folder = _folder(cache)
    folder.mkdir(parents=True, exist_ok=True)
    # Several stacks share the cache: one installs, the others wait for it.
    with (folder / ".lock").open("w") as lock:
        _hold(lock, cancelled)
        if not (folder / _COMPLETE).is_file():
            _run(cancelled, sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder / "environment"))
            _install(folder / "environment", cancelled)
            (folder / _COMPLETE).touch()
    return folder / "environment" / "bin" / "python"


def _folder(cache: Path) -> Path:
    return cache / f"mlflow-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"


def _hold(lock: TextIO, cancelled: threading.Event) -> None:
    deadline = time.monotonic() + _INSTALL_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if cancelled.wait(_POLL_S):
                raise _cancelled() from None
            if time.monotonic() > deadline:
                raise EchoPulseError(f"mlflow: another process installs it for longer than {_INSTALL_S} s") from None
        else:
            return


def _install(environment: Path, cancelled: threading.Event) -> None:
    """Install the lock by this environment's own pip, which knows the index that its user has chosen."""
    target = ("--python", str(environment / "bin" / "python"))
    _run(
        cancelled,
        *(sys.executable, "-m", "pip", *target, "install", "--quiet", "--disable-pip-version-check"),
        *("--no-deps", "--require-hashes", "--requirement", str(LOCK)),
    )


def _run(cancelled: threading.Event, *command: str) -> None:
    inherited = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}
    deadline = time.monotonic() + _INSTALL_S
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=inherited, start_new_session=True
    ) as process:
        psutil.Process(process.pid).nice(_NICENESS)
        try:
            printed = _printed(process, deadline, cancelled)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode:
        lines = printed.strip().splitlines() or [f"status {process.returncode}"]
        raise EchoPulseError(
            f"mlflow: it cannot be installed: {lines[-1]}", "stack.mlflow: false starts the stack without it"
        )


def _printed(process: subprocess.Popen[str], deadline: float, cancelled: threading.Event) -> str:
    while True:
        try:
            return process.communicate(timeout=_POLL_S)[1]
        except subprocess.TimeoutExpired:
            if cancelled.is_set():
                raise _cancelled() from None
            if time.monotonic() > deadline:
                raise EchoPulseError(f"mlflow: installing it took longer than {_INSTALL_S} s") from None


def _cancelled() -> EchoPulseError:
    return EchoPulseError("mlflow: its installation was broken off")
