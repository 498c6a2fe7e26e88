"""Point-in-time joins through Feast, against a naive one."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pytest
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource
from feast.data_format import ParquetFormat
from feast.types import Int64, String
from feast.value_type import ValueType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.lake.history import history
from features.machinery.view_spec import Column, ViewSchema
from schemas.errors import EchoPulseError
from tests.echopulse.feature_query.lakes import write_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

DELAY_S, TTL_S = 5, 600
START = datetime(2026, 1, 31, 23, 50, tzinfo=UTC)
CONFIG = f"""
project: echopulse
provider: local
registry: registry.db
online_store: {{type: sqlite}}
offline_store: {{type: features.lake.offline_store.EchoPulseOfflineStore, available_after_ms: {DELAY_S * 1000}}}
entity_key_serialization_version: 3
"""
TALK = ViewSchema("talk", (Column("channel_id", "string"),), (Column("n", "int64"),), TTL_S)
SEATS = ViewSchema("seats", (Column("channel_id", "string"), Column("seat", "int64")), (Column("n", "int64"),), 0)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for rows, emptied by each case."""
    return tmp_path_factory.mktemp("lake")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, lake: Path) -> FeatureStore:
    """A repository of two views over the lake."""
    repo = tmp_path_factory.mktemp("repo")
    (repo / "feature_store.yaml").write_text(CONFIG, encoding="utf-8")
    opened = FeatureStore(str(repo))
    channel = Entity(name="channel", join_keys=["channel_id"], value_type=ValueType.STRING)
    seat = Entity(name="seat", join_keys=["seat"], value_type=ValueType.INT64)
    talk = FeatureView(
        name="talk",
        entities=[channel],
        ttl=timedelta(seconds=TTL_S),
        schema=[Field(name="channel_id", dtype=String), Field(name="n", dtype=Int64)],
        source=_source("talk", lake),
    )
    seats = FeatureView(
        name="seats",
        entities=[channel, seat],
        schema=[
            Field(name="channel_id", dtype=String),
            Field(name="seat", dtype=Int64),
            Field(name="n", dtype=Int64),
            Field(name="later", dtype=Int64),
        ],
        source=_source("seats", lake),
    )
    opened.apply(
        [
            channel,
            seat,
            talk,
            seats,
            FeatureService(name="talked", features=[talk]),
            FeatureService(name="both", features=[talk, seats]),
        ]
    )
    return opened


def _source(view: str, lake: Path) -> FileSource:
    return FileSource(
        name=f"{view}_rows",
        path=f"{lake}/features/{view}/",
        file_format=ParquetFormat(),
        timestamp_field="event_timestamp",
    )


@pytest.fixture(autouse=True)
def emptied(lake: Path) -> Iterator[None]:
    """Leave no rows."""
    yield
    _empty(lake)


def _empty(lake: Path) -> None:
    shutil.rmtree(lake / "features", ignore_errors=True)


def _ms(seconds: int) -> int:
    return round((START + timedelta(seconds=seconds)).timestamp() * 1000)


def _asked(rows: Sequence[tuple[str, int]]) -> pd.DataFrame:
    times = [START + timedelta(seconds=second) for _, second in rows]
    return pd.DataFrame({"channel_id": [channel for channel, _ in rows], "event_timestamp": times})


def naive(rows: Sequence[tuple[str, int]], asked: tuple[str, int]) -> int | None:
    """Of the rows (channel, end of the window; written in this order), the place of the one that could be read."""
    channel, now = asked
    fitting = [
        (end, place) for place, (of, end) in enumerate(rows) if of == channel and end + DELAY_S <= now <= end + TTL_S
    ]
    return max(fitting)[1] if fitting else None


_SECONDS = st.one_of(st.integers(-700, 1_400), st.integers(0, 5).map(lambda step: step * DELAY_S))


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from("ab"), _SECONDS), min_size=1, max_size=12),
    st.lists(st.tuples(st.sampled_from("abc"), _SECONDS), min_size=1, max_size=8),
)
def test_a_join_is_the_naive_one(
    store: FeatureStore, lake: Path, rows: list[tuple[str, int]], asked: list[tuple[str, int]]
) -> None:
    """What could be read by then, in the order asked: not yet, too old, written twice, across midnight."""
    _empty(lake)
    for place, (channel, end) in enumerate(rows):
        write_rows(lake, TALK, (channel, place, _ms(end)), written_ms=place)
    found = history(store, "talked", _asked(asked))
    assert list(found.columns) == ["channel_id", "event_timestamp", "talk__n"]
    assert [None if pd.isna(value) else int(value) for value in found["talk__n"]] == [naive(rows, one) for one in asked]
    assert list(found["channel_id"]) == [channel for channel, _ in asked]


def test_no_row_sees_its_future(store: FeatureStore, lake: Path) -> None:
    """A window that ended before the instant, but could be read only after it, is not used."""
    write_rows(lake, TALK, ("a", 1, _ms(0)), ("a", 2, _ms(60)))
    found = history(store, "talked", _asked([("a", 60), ("a", 60 + DELAY_S - 1), ("a", 60 + DELAY_S)]))
    assert list(found["talk__n"]) == [1, 1, 2]


def test_views_of_several_keys_join_and_labels_stay(store: FeatureStore, lake: Path) -> None:
    """A feature that no file has yet is null, as is a view without rows; columns that are no keys are kept."""
    write_rows(lake, SEATS, ("a", 1, 10, _ms(0)), ("a", 2, 20, _ms(0)))
    entities = _asked([("a", 30), ("a", 30)]).assign(seat=[2, 1], label=["toxic", "fine"])
    found = history(store, "both", entities)
    assert list(found.columns) == [*entities.columns, "talk__n", "seats__later", "seats__n"]
    assert list(found["seats__n"]) == [20, 10]
    assert list(found["label"]) == ["toxic", "fine"]
    assert found["seats__later"].isna().all()
    assert found["talk__n"].isna().all()


def test_rows_are_pulled_as_feast_materializes_them(store: FeatureStore, lake: Path) -> None:
    """By the window's end: the newest of each key, and all."""
    write_rows(lake, TALK, ("a", 1, _ms(0)), ("a", 2, _ms(60)), ("b", 3, _ms(0)))
    write_rows(lake, TALK, ("b", 4, _ms(0)), written_ms=1)
    provider, view = store._get_provider(), store.get_feature_view("talk")
    offline = provider.offline_store
    assert view.batch_source is not None
    arguments = (store.config, view.batch_source, ["channel_id"], ["n"], "event_timestamp", None)
    span = (START - timedelta(seconds=1), START + timedelta(seconds=61))
    latest = offline.pull_latest_from_table_or_query(*arguments, *span).to_df()
    assert sorted(zip(latest["channel_id"], latest["n"], strict=True)) == [("a", 2), ("b", 4)]
    every = offline.pull_all_from_table_or_query(*arguments, *span).to_df()
    assert sorted(zip(every["channel_id"], every["n"], strict=True)) == [("a", 1), ("a", 2), ("b", 4)]


def test_nobody_writes_past_the_job(store: FeatureStore) -> None:
    """Feast's own way into the lake is closed."""
    view = store.get_feature_view("talk")
    rows = pa.table({"channel_id": ["a"], "n": [1], "event_timestamp": [START]})
    with pytest.raises(EchoPulseError, match="view 'talk': rows of the lake are written by the job"):
        store._get_provider().offline_store.offline_write_batch(store.config, view, rows, None)
