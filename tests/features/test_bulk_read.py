"""Reads in bulk give what Feast's own reads give: names, values, times and their order, for any request."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from feast import FeatureStore
from feast.protos.feast.serving.ServingService_pb2 import FieldStatus
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from feast.online_response import OnlineResponse

DECLARED = """
from datetime import timedelta
from feast import Entity, FeatureService, FeatureView, Field, PushSource
from feast.data_format import ParquetFormat
from feast.infra.offline_stores.file_source import FileSource
from feast.types import Array, Bool, Float32, Float64, Int32, Int64, String, UnixTimestamp
from feast.value_type import ValueType

channel = Entity(name="channel", join_keys=["channel_id"], value_type=ValueType.STRING)
slot = Entity(name="slot", join_keys=["slot_id"], value_type=ValueType.INT64)

def view(name, entities, fields, ttl=timedelta(0)):
    rows = FileSource(path="none.parquet", timestamp_field="event_timestamp")
    source = PushSource(name=f"{name}_push", batch_source=rows)
    return FeatureView(name=name, entities=entities, ttl=ttl, source=source, schema=fields)

words = view("words", [channel], [
    Field(name="channel_id", dtype=String), Field(name="n", dtype=Int64), Field(name="x", dtype=Float64),
    Field(name="word", dtype=String), Field(name="flag", dtype=Bool), Field(name="many", dtype=Array(Float64)),
    Field(name="seen", dtype=UnixTimestamp)])
counts = view("counts", [channel], [
    Field(name="channel_id", dtype=String), Field(name="n", dtype=Int32), Field(name="x", dtype=Float32)])
slots = view("slots", [slot, channel], [
    Field(name="channel_id", dtype=String), Field(name="slot_id", dtype=Int64), Field(name="share", dtype=Float64)])
brief = view("brief", [channel], [
    Field(name="channel_id", dtype=String), Field(name="m", dtype=Int64)], timedelta(hours=1))
service = FeatureService(name="all", features=[counts, slots, words[["word", "n"]]])
"""
CONFIG = """
project: echopulse
provider: local
registry: registry.db
online_store: {{type: {kind}, connection_string: "{address}"}}
offline_store: {{type: duckdb}}
entity_key_serialization_version: 3
"""
STORES = {"ours": "features.machinery.online_store.EchoPulseOnlineStore", "plain": "redis"}
FEATURES = {
    "words": ["n", "x", "word", "flag", "many", "seen"],
    "counts": ["n", "x"],
    "slots": ["share"],
}
REFS = [f"{view}:{name}" for view, names in FEATURES.items() for name in names]
CHANNELS = ["a", "b", "twitch:ünï", "", "z" * 200]
MOMENT = datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)
INT64 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(codec="utf-8"), max_size=700)
ROW = st.tuples(
    st.sampled_from(CHANNELS),
    INT64,
    st.floats(),
    TEXT,
    st.booleans(),
    st.lists(st.floats(allow_nan=False), max_size=90),
)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory, valkey: str) -> dict[str, FeatureStore]:
    """The same repository through the plug-in and through Feast's own store."""
    folder = tmp_path_factory.mktemp("bulk")
    (folder / "declared.py").write_text(DECLARED, encoding="utf-8")
    opened = {}
    for name, kind in STORES.items():
        path = folder / f"{name}.yaml"
        path.write_text(CONFIG.format(kind=kind, address=valkey), encoding="utf-8")
        opened[name] = FeatureStore(str(folder), fs_yaml_file=path)
    namespace: dict[str, Any] = {}
    exec(DECLARED, namespace)  # noqa: S102 the declarations above
    kept = ("channel", "slot", "words", "counts", "slots", "brief", "service")
    opened["ours"].apply([namespace[name] for name in kept])
    opened["plain"].refresh_registry()  # type: ignore[no-untyped-call] # Feast's
    return opened


def fill(store: FeatureStore, rows: list[tuple[Any, ...]]) -> None:
    """Write the rows to the three views without a time to live."""
    for place, (channel, n, x, word, flag, many) in enumerate(rows):
        head: dict[str, Any] = {"channel_id": [channel], "event_timestamp": [MOMENT + timedelta(microseconds=place)]}
        frames: dict[str, dict[str, Any]] = {
            "words": {"n": [n], "x": [x], "word": [word], "flag": [flag], "many": [many], "seen": [MOMENT]},
            "counts": {"n": pd.array([n % 1000], dtype="int32"), "x": [0.5 * place]},
            "slots": {"slot_id": [place], "share": [x]},
        }
        for view, frame in frames.items():
            store.write_to_online_store(view, pd.DataFrame(head | frame))


def told(answer: OnlineResponse) -> dict[str, Any]:
    """Everything in an answer, NaN comparable."""
    values = answer.to_dict(include_event_timestamps=True)
    return {name: [repr(value) for value in column] for name, column in values.items()}


@given(
    st.lists(ROW, max_size=5),
    st.lists(st.tuples(st.sampled_from([*CHANNELS, "unknown"]), st.integers(0, 5)), min_size=1, max_size=12),
    st.lists(st.sampled_from(REFS), min_size=1, max_size=len(REFS), unique=True),
)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
# Feast says so of a row whose only value is NaN; what both then answer is compared all the same.
@pytest.mark.filterwarnings("ignore:Cannot write dataframe with empty feature columns:UserWarning")
def test_any_request_is_answered_as_feast_answers_it(
    client: Any,  # noqa: ANN401 Redis, typed in the fixture
    stores: dict[str, FeatureStore],
    rows: list[tuple[Any, ...]],
    wanted: list[tuple[str, int]],
    refs: list[str],
) -> None:
    """Several views and entities, duplicates, unknown entities, long and empty values; times to the microsecond."""
    client.flushall()
    fill(stores["plain"], rows)
    entities = [{"channel_id": channel, "slot_id": slot} for channel, slot in wanted]
    theirs, ours = (
        stores[name].get_online_features(refs, entities, full_feature_names=True) for name in ("plain", "ours")
    )
    assert told(ours) == told(theirs)
    assert list(ours.proto.metadata.feature_names.val) == list(theirs.proto.metadata.feature_names.val)
    for mine, other in zip(ours.proto.results, theirs.proto.results, strict=True):
        assert list(mine.event_timestamps) == list(other.event_timestamps)


def test_a_service_is_read_in_its_order(client: Any, stores: dict[str, FeatureStore]) -> None:  # noqa: ANN401
    """Views of one entity are fetched together and answered where they were asked for."""
    client.flushall()
    fill(stores["plain"], [("a", 1, 0.5, "w", True, [1.0])])
    entities: dict[str, list[Any]] = {"channel_id": ["a", "b", "a"], "slot_id": [0, 0, 0]}
    answers = [
        store.get_online_features(store.get_feature_service("all"), entities, True)  # noqa: FBT003 Feast's
        for store in stores.values()
    ]
    assert told(answers[0]) == told(answers[1])
    assert answers[0].to_dict()["words__n"] == [1, None, 1]


def test_found_missing_and_expired_are_told_apart(client: Any, stores: dict[str, FeatureStore]) -> None:  # noqa: ANN401
    """Feast calls them all present."""
    client.flushall()
    now = datetime.now(UTC)
    for channel, age in (("new", timedelta(0)), ("old", timedelta(hours=1, seconds=1))):
        frame = pd.DataFrame({"channel_id": [channel], "m": [7], "event_timestamp": [now - age]})
        stores["ours"].write_to_online_store("brief", frame)
    asked = [{"channel_id": name} for name in ("old", "new", "nobody", "new")]
    for answer in (
        stores["ours"].get_online_features(["brief:m"], asked),
        asyncio.run(stores["ours"].get_online_features_async(["brief:m"], asked)),
    ):
        vectors = dict(zip(answer.proto.metadata.feature_names.val, answer.proto.results, strict=True))
        missing, found = FieldStatus.NOT_FOUND, FieldStatus.PRESENT
        assert list(vectors["m"].statuses) == [missing, found, missing, found]
        assert answer.to_dict()["m"] == [None, 7, None, 7]
        assert answer.to_dict(include_event_timestamps=True)["m__ts"][0] == 0


def test_each_view_of_a_request_has_its_own_time_to_live(client: Any, stores: dict[str, FeatureStore]) -> None:  # noqa: ANN401
    """One without is kept for ever, even a row of before 1970; the times of all views are decoded together."""
    client.flushall()
    for view, column in (("counts", {"n": [3], "x": [0.5]}), ("brief", {"m": [7]})):
        for channel, moment in (("old", datetime(1960, 1, 1, tzinfo=UTC)), ("new", datetime.now(UTC))):
            frame = pd.DataFrame({"channel_id": [channel], "event_timestamp": [moment]} | column)
            stores["plain"].write_to_online_store(view, frame)
    asked = [{"channel_id": name} for name in ("new", "old", "nobody")]
    answer = stores["ours"].get_online_features(["brief:m", "counts:n"], asked).to_dict()
    assert (answer["m"], answer["n"]) == ([7, None, None], [3, 3, None])


def test_a_missing_join_key_is_told_as_by_feast(stores: dict[str, FeatureStore]) -> None:
    """The same error for the same request."""
    told_by = []
    for store in stores.values():
        with pytest.raises(KeyError) as error:
            store.get_online_features(["counts:n"], [{"slot_id": 1}])
        told_by.append(str(error.value))
    assert told_by[0] == told_by[1]
    assert "channel_id" in told_by[0]


def test_versions_are_told_where_asked_for(client: Any, stores: dict[str, FeatureStore]) -> None:  # noqa: ANN401
    """Once a view, as Feast does."""
    client.flushall()
    entities = [{"channel_id": "a", "slot_id": 1}]
    metadata = [
        store.get_online_features(REFS, entities, True, True).proto.metadata  # noqa: FBT003 Feast's
        for store in stores.values()
    ]
    assert metadata[0] == metadata[1]
    assert [view.name for view in metadata[0].feature_view_metadata] == ["words", "counts", "slots"]


def test_a_table_and_a_frame_hold_the_same(client: Any, stores: dict[str, FeatureStore]) -> None:  # noqa: ANN401
    """Feast's other forms of an answer are made of the same values."""
    client.flushall()
    fill(stores["plain"], [("a", 1, 0.5, "w", True, [1.0])])
    answers = [store.get_online_features(REFS, [{"channel_id": "a", "slot_id": 0}], True) for store in stores.values()]  # noqa: FBT003
    assert answers[0].to_arrow().equals(answers[1].to_arrow())
    assert answers[0].to_df().equals(answers[1].to_df())
