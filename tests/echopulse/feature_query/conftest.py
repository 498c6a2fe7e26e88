"""A real server of FeatureQuery on this machine, with a Valkey and a folder for a lake behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest

from echopulse.feature_query.question import Catalogue
from echopulse.feature_query.rows import LakeRows
from echopulse.feature_query.server import FeatureServer
from echopulse.feature_query.service import Sources
from echopulse.settings_sections import Lake
from features.machinery.connection import OnlineStoreSettings, connect
from features.machinery.online_writer import OnlineWriter
from features.machinery.view_spec import Column, ViewSchema
from schemas.feature_query_pb2_grpc import FeatureQueryStub
from tests.features.conftest import Valkey

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DELAY_MS = 5_000
TALK = ViewSchema(
    "talk_1m",
    (Column("channel_id", "string"),),
    (Column("n", "int64"), Column("x", "float64"), Column("word", "string")),
    ttl_s=86_400,
)
SEATS = ViewSchema("seats", (Column("channel_id", "string"), Column("seat", "int64")), (Column("n", "int64"),), ttl_s=0)
CATALOGUE = Catalogue(
    {view.name: view for view in (TALK, SEATS)},
    {"live": [("talk_1m", ["n", "x"]), ("seats", ["n"])], "talk": [("talk_1m", ["n", "x", "word"])]},
)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnlineStoreSettings]:
    """A Valkey server of this session's own."""
    server = Valkey(tmp_path_factory.mktemp("valkey"))
    server.start()
    yield OnlineStoreSettings(server.address)
    server.stop()


@pytest.fixture
def writer(store: OnlineStoreSettings) -> Iterator[OnlineWriter]:
    """A writer into the emptied store."""
    with connect(store) as client:
        client.flushall()
    online = OnlineWriter(store)
    yield online
    online.close()


@pytest.fixture
def sources(store: OnlineStoreSettings, tmp_path: Path) -> Iterator[Sources]:
    """What the server answers from; the lake is `lake` in the test's folder."""
    with connect(store) as client:
        yield Sources(CATALOGUE, client, store.project, LakeRows(Lake(path=str(tmp_path / "lake"))), DELAY_MS)


@pytest.fixture
def server(sources: Sources) -> Iterator[FeatureServer]:
    """A server on a free port, in plain text."""
    with FeatureServer(sources, "127.0.0.1", 0) as running:
        yield running


@pytest.fixture
def channel(server: FeatureServer) -> Iterator[grpc.Channel]:
    """A client's connection to it."""
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as connected:
        yield connected


@pytest.fixture
def query(channel: grpc.Channel) -> FeatureQueryStub:
    """A client of FeatureQuery."""
    return FeatureQueryStub(channel)
