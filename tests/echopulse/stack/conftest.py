"""A small real service for the supervisor, a Maven repository on this machine, free ports."""

from __future__ import annotations

import hashlib
import http.server
import socket
import sys
import threading
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import pytest

from echopulse.stack.jars import Jar, JarGroup
from echopulse.stack.settings import StackSettings
from echopulse.stack.spec import PATIENCE_S, Launch, Port
from schemas.errors import EchoPulseError
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LISTEN = """
import socket, sys, time
print("about to listen", flush=True)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    server.accept()[0].close()
"""
CRASH = "import sys; print('line 1'); sys.exit('ValueError: no such device')"


@dataclass(frozen=True)
class Listener:
    """A service that listens on one port, as small as one can be."""

    name: str
    port: int
    program: str = LISTEN
    jar_groups: tuple[str, ...] = ()
    patience_s: float = PATIENCE_S

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    @property
    def ports(self) -> tuple[Port, ...]:
        """Its one port."""
        return (Port(self.port, f"stack.{self.name}_port"),)

    def launch(self) -> Launch:
        """Return the program with its port."""
        return Launch((sys.executable, "-c", self.program, str(self.port)), {})

    def unready(self) -> str:
        """Return why nobody answers, or ''."""
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=2).close()
        except OSError as error:
            return str(error)
        return ""


@dataclass(frozen=True)
class LateListener(Listener):
    """A listener that joins later; `begun` is set once it is being installed, and it then waits for `go`."""

    begun: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)
    refusal: str = ""
    missing: str = "5 GB"

    def prepare(self, cancelled: threading.Event) -> None:
        """Wait for `go`, then be there or refuse."""
        self.begun.set()
        while not self.go.wait(0.02):
            if cancelled.is_set():
                raise EchoPulseError("broken off")
        if self.refusal:
            raise EchoPulseError(self.refusal, "do without")


@pytest.fixture
def listener() -> Callable[..., Listener]:
    """Return a maker of small services, each on a free port."""
    return lambda name, program=LISTEN, **more: Listener(name, free_port(), program, **more)


@pytest.fixture
def late_listener() -> Callable[..., LateListener]:
    """Return a maker of services that join later."""
    return lambda name, program=LISTEN, **more: LateListener(name, free_port(), program, **more)


@pytest.fixture
def crash() -> str:
    """Return a program that ends at once, with an error on its last line."""
    return CRASH


@pytest.fixture
def stack_settings(tmp_path: Path) -> StackSettings:
    """Return settings in a folder of the test's own."""
    return StackSettings(home=tmp_path / "home", cache=tmp_path / "cache", start_timeout_s=30)


@dataclass(frozen=True)
class Repository:
    """A Maven repository served from a folder."""

    folder: Path

    def publish(self, coordinate: str, content: bytes, dependencies: tuple[str, ...] = ()) -> Jar:
        """Put a jar with its POM there and return it as it would be locked."""
        group, artifact, version = coordinate.split(":")
        place = self.folder.joinpath(*group.split("."), artifact, version)
        place.mkdir(parents=True)
        (place / f"{artifact}-{version}.jar").write_bytes(content)
        needed = "".join(
            "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>".format(
                *dependency.split(":")
            )
            for dependency in dependencies
        )
        (place / f"{artifact}-{version}.pom").write_text(
            f"<project><modelVersion>4.0.0</modelVersion><groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
            f"<version>{version}</version><dependencies>{needed}</dependencies></project>"
        )
        return Jar(coordinate, hashlib.sha256(content).hexdigest(), len(content))


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class names it so
        """Say nothing."""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """Serve a Maven repository on this machine and make it jgo's only one."""
    folder = tmp_path / "maven"
    folder.mkdir()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        config = tmp_path / "jgo.conf"
        config.write_text(f"[repositories]\nlocal = http://127.0.0.1:{server.server_address[1]}\n")
        monkeypatch.setenv("JGO_CONFIG_FILE", str(config))
        yield Repository(folder)
        server.shutdown()
        thread.join()


@pytest.fixture
def group_of() -> Callable[..., JarGroup]:
    """Return a maker of groups of locked jars."""
    return lambda *jars: JarGroup(
        "test", tuple(jar.coordinate for jar in jars), transitive=False, exclude=(), jars=tuple(jars)
    )
