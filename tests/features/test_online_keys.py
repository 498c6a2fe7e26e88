"""Keys of the store taken apart: what was encoded is what comes back, and nothing else does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from features.machinery.online_keys import entity_of, online_entities
from features.machinery.redis_format import entity_keys
from features.machinery.view_spec import Column, ViewSchema
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from collections.abc import Sequence

ONE = (Column("channel_id", "string"),)
TWO = (Column("seat", "int64"), Column("channel_id", "string"))
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)


def keys_of(
    join_keys: Sequence[Column], values: Sequence[tuple[object, ...]], project: str = "echopulse"
) -> list[bytes]:
    """The keys of entities as the writer makes them."""
    types = {"string": pa.string(), "int64": pa.int64()}
    arrays = [
        pa.array([value[place] for value in values], types[column.type]) for place, column in enumerate(join_keys)
    ]
    batch = pa.RecordBatch.from_arrays(arrays, [column.name for column in join_keys])
    keys: list[bytes] = entity_keys(ViewSchema("v", tuple(join_keys), ()), project, batch).to_pylist()
    return keys


@given(st.integers(-(2**63), 2**63 - 1), TEXT)
def test_what_was_encoded_comes_back(seat: int, name: str) -> None:
    """In the order in which the view has its keys, which is not that of the store."""
    [key] = keys_of(TWO, [(seat, name)])
    assert entity_of(key, "echopulse", TWO) == (seat, name)
    [key] = keys_of(ONE, [(name,)])
    assert entity_of(key, "echopulse", ONE) == (name,)


@given(TEXT)
def test_keys_of_others_are_none(name: str) -> None:
    """Another project, other join keys, another type, a key cut short."""
    [key] = keys_of(ONE, [(name,)])
    assert entity_of(key, "other", ONE) is None
    assert entity_of(key, "echopulse", TWO) is None
    assert entity_of(key, "echopulse", (Column("channel_id", "int64"),)) is None
    assert entity_of(key + b"x", "echopulse", ONE) is None
    short = key.removesuffix(b"echopulse")[:-1] + b"echopulse"
    assert entity_of(short, "echopulse", ONE) is None


def test_the_store_is_searched_for_them(client: redis.Redis) -> None:
    """All that there are, and never more than are asked for."""
    ours, theirs = keys_of(ONE, [(f"c{n}",) for n in range(50)]), keys_of(TWO, [(1, "c0")])
    for key in (*ours, *theirs, *keys_of(ONE, [("c0",)], "elsewhere"), b"something"):
        client.hset(key, "field", "value")  # type: ignore[arg-type] # bytes are as good
    found = [entity for part in online_entities(client, "echopulse", ONE, 1_000) for entity in part]
    assert sorted(set(found)) == sorted((f"c{n}",) for n in range(50))
    assert [entity for part in online_entities(client, "echopulse", TWO, 1_000) for entity in part] == [(1, "c0")]
    assert sum(len(part) for part in online_entities(client, "echopulse", ONE, 10)) <= 10


def test_a_store_that_is_away_is_told() -> None:
    """In one line."""
    with (
        redis.Redis("127.0.0.1", 1) as away,
        pytest.raises(EchoPulseError, match=r"^cannot list the online store's keys"),
    ):
        list(online_entities(away, "echopulse", ONE, 10))
