"""A real NATS server with JetStream, for a test that kills it and starts it again at the same place."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEADLINE_S = 20


@dataclass
class NatsServer:
    """Keeps its store under `folder`; `settings` are lines of its configuration file."""

    folder: Path
    settings: str = ""
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it listens."""
        config = self.folder / "nats.conf"
        config.write_text(
            f'listen: "127.0.0.1:{self.port}"\njetstream {{ store_dir: "{self.folder / "store"}" }}\n{self.settings}\n'
        )
        binary = Path(sys.executable).parent / "nats-server"
        with (self.folder / "nats.log").open("ab") as log:
            self._process = subprocess.Popen([binary, "-c", config], stdout=log, stderr=log, env={**os.environ})
        deadline = time.monotonic() + _DEADLINE_S
        while time.monotonic() < deadline:
            assert self._process.poll() is None, (self.folder / "nats.log").read_text()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise TimeoutError(f"nats-server does not listen on {self.port}")

    def kill(self) -> None:
        """End it as a power cut of the process would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_DEADLINE_S)
            self._process = None


@contextmanager
def nats_running(folder: Path, settings: str = "") -> Iterator[NatsServer]:
    """Yield a running server."""
    server = NatsServer(folder, settings)
    server.start()
    try:
        yield server
    finally:
        server.kill()
