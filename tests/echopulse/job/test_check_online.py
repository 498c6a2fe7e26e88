"""Rows as a check reads them: whole, or value by value where some are damaged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from echopulse.job.check_online import open_client, read_online
from features.machinery.connection import OnlineStoreSettings
from features.machinery.redis_format import field_name, timestamp_field
from features.machinery.view_spec import EVENT_TIMESTAMP, Column, ViewSpec
from schemas.errors import EchoPulseError
from tests.features.conftest import Valkey
from tests.features.test_online_keys import keys_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from features.machinery.connection import Client

KEYS = (Column("seat", "int64"), Column("channel_id", "string"))
VIEW = ViewSpec("seats", KEYS, (Column("n", "int64"), Column("x", "float64"), Column("word", "string")), (), {})
STAMP = b"\x08\x80\x94\xeb\xdc\x03"  # 1,000,000,000 s
NOW_MS = 1_000_000_001_000


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnlineStoreSettings]:
    """A Valkey server of this module's own."""
    server = Valkey(tmp_path_factory.mktemp("valkey"))
    server.start()
    yield OnlineStoreSettings(server.address)
    server.stop()


@pytest.fixture
def client(store: OnlineStoreSettings) -> Iterator[Client]:
    """A client of the emptied server."""
    with open_client(store) as connection:
        connection.flushall()
        yield connection


def put(client: Client, entity: tuple[int, str], **values: bytes) -> None:
    """Write cells of a row as they are."""
    [key] = keys_of(KEYS, [entity])
    cells: dict[Any, Any] = {field_name("seats", name): value for name, value in values.items()}
    client.hset(key, mapping={**cells, timestamp_field("seats"): STAMP})  # type: ignore[arg-type] # bytes are as good


def test_rows_of_several_keys(client: Client) -> None:
    """In the order of the entities; nothing is where no row is."""
    put(client, (1, "a"), n=b"\x20\x05", word=b"\x12\x02hi")
    rows = read_online(client, "echopulse", VIEW, [(2, "a"), (1, "a")], NOW_MS, None)
    assert list(rows.frame) == ["seat", "channel_id", "n", "x", "word", EVENT_TIMESTAMP]
    assert rows.frame["seat"].tolist() == [2, 1]
    assert (rows.frame["n"][1], rows.frame["word"][1]) == (5, "hi")
    assert rows.frame[EVENT_TIMESTAMP][1] == 1_000_000_000_000
    assert rows.frame.iloc[0][["n", "x", "word", EVENT_TIMESTAMP]].isna().all()
    assert pd.isna(rows.frame["x"][1])
    assert not rows.unreadable.to_numpy().any()
    assert len(rows.of([(2, "a")]).frame) == len(rows.of([(2, "a")]).unreadable) == 1


def test_a_damaged_value_is_alone(client: Client) -> None:
    """Its row's others are read, and so are other rows."""
    put(client, (1, "a"), n=b"\x12\x02hi", word=b"\x12\x02hi")
    put(client, (2, "b"), n=b"\x20\x07")
    rows = read_online(client, "echopulse", VIEW, [(1, "a"), (2, "b"), (3, "c")], NOW_MS, None)
    assert rows.unreadable.to_numpy().tolist() == [[True, False, False], [False] * 3, [False] * 3]
    assert (rows.frame["word"][0], rows.frame["n"][1]) == ("hi", 7)
    assert rows.frame[EVENT_TIMESTAMP].isna().tolist() == [False, False, True]


def test_a_store_that_is_away_is_no_damage() -> None:
    """One server at the read, a cluster at once."""
    with open_client(OnlineStoreSettings("127.0.0.1:1")) as away, pytest.raises(EchoPulseError, match="cannot read"):
        read_online(away, "echopulse", VIEW, [(1, "a")], NOW_MS, None)
    with (
        pytest.raises(EchoPulseError, match=r"^the online store does not answer: "),
        open_client(OnlineStoreSettings("127.0.0.1:1", redis_type="redis_cluster")),
    ):
        pass
