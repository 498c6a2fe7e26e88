"""The plug-in and plain Feast on one server: each reads what the other wrote, and the plug-in lets values expire."""

from __future__ import annotations

import asyncio
import base64
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pytest
from feast import FeatureStore
from feast.protos.feast.serving.ServingService_pb2 import FieldStatus

from features.machinery.connection import OnlineStoreSettings
from features.machinery.encrypted_value import MARK
from features.machinery.online_store import VARIABLES, EchoPulseOnlineStoreConfig
from features.machinery.online_writer import OnlineWriter
from features.machinery.reader import read_latest
from features.machinery.store import apply
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    import redis
    from feast.online_response import OnlineResponse

    from features.machinery.view_spec import CompiledView

pytestmark = pytest.mark.filterwarnings("ignore:Stream feature views are experimental:RuntimeWarning")

CONFIG = """
project: echopulse
provider: local
registry: registry.db
online_store: {{type: {kind}, connection_string: "{address}"}}
offline_store: {{type: duckdb}}
entity_key_serialization_version: 3
"""
OURS, PLAIN = "features.machinery.online_store.EchoPulseOnlineStore", "redis"
VALUES = {
    "message_count": 7,
    "distinct_users": 3,
    "toxic_share": 0.25,
    "mean_toxicity": 0.125,
    "sentiment_balance": -0.5,
    "emoji_rate": 0.0,
}


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory, valkey: str) -> Path:
    """A Feast repository with the project's declarations, its configurations naming the test's server."""
    folder = tmp_path_factory.mktemp("repo")
    (folder / "declared.py").write_text("from features.services import *\n", encoding="utf-8")
    (folder / "feature_store.yaml").write_text(CONFIG.format(kind=OURS, address=valkey), encoding="utf-8")
    (folder / "plain.yaml").write_text(CONFIG.format(kind=PLAIN, address=valkey), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def views(repo: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, CompiledView]:
    """The compiled views, applied to the repository's registry."""
    return {view.name: view for view in apply(repo, tmp_path_factory.mktemp("cache")).views}


@pytest.fixture
def ours(repo: Path, views: dict[str, CompiledView]) -> FeatureStore:
    """The store with the plug-in."""
    del views
    return FeatureStore(str(repo))


@pytest.fixture
def plain(repo: Path, views: dict[str, CompiledView]) -> FeatureStore:
    """The store of a plain Feast SDK."""
    del views
    return FeatureStore(str(repo), fs_yaml_file=repo / "plain.yaml")


def feature_row(moment: datetime, **changes: Any) -> pd.DataFrame:  # noqa: ANN401 any column's value
    """A row of channel_1m."""
    row = {"channel_id": "twitch:ünï", **VALUES, "event_timestamp": moment} | changes
    return pd.DataFrame([row])


def read(store: FeatureStore, names: list[str] | None = None) -> dict[str, Any]:
    """The values of the one channel, by Feast."""
    features = [f"channel_1m:{name}" for name in names or VALUES]
    answer = store.get_online_features(features, [{"channel_id": "twitch:ünï"}]).to_dict()
    return {name: values[0] for name, values in answer.items() if name != "channel_id"}


async def read_async(store: FeatureStore) -> OnlineResponse:
    """The answer of a read off the event loop, the connection closed after it."""
    features = [f"channel_1m:{name}" for name in VALUES]
    answer = await store.get_online_features_async(features, [{"channel_id": "twitch:ünï"}])
    await store.close()
    return answer


def write_ours(valkey: str, view: CompiledView, frame: pd.DataFrame) -> int:
    """Write rows as the job does."""
    batch = pa.RecordBatch.from_pandas(frame, preserve_index=False)
    return OnlineWriter(OnlineStoreSettings(valkey)).write(view.schema, batch)


def present() -> datetime:
    """Now, to the millisecond."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(milliseconds=123)


def test_feast_reads_what_the_job_writes(
    client: redis.Redis, valkey: str, views: dict[str, CompiledView], ours: FeatureStore, plain: FeatureStore
) -> None:
    """Through the plug-in and through plain Feast, to the bit."""
    del client
    write_ours(valkey, views["channel_1m"], feature_row(present()))
    assert read(plain) == VALUES
    assert read(ours) == VALUES


def test_a_null_and_nan_read_as_missing(
    client: redis.Redis, valkey: str, views: dict[str, CompiledView], plain: FeatureStore
) -> None:
    """Both are an empty value to Feast."""
    del client
    write_ours(valkey, views["channel_1m"], feature_row(present(), toxic_share=float("nan"), emoji_rate=None))
    assert read(plain, ["toxic_share", "emoji_rate"]) == {"toxic_share": None, "emoji_rate": None}


@pytest.mark.parametrize("kind", ["ours", "plain"])
def test_the_reader_reads_what_feast_writes(
    client: redis.Redis, views: dict[str, CompiledView], kind: str, request: pytest.FixtureRequest
) -> None:
    """Whichever store of Feast's wrote it."""
    store: FeatureStore = request.getfixturevalue(kind)
    moment = present()
    store.write_to_online_store("channel_1m", feature_row(moment))
    [row] = read_latest(client, "echopulse", views["channel_1m"].schema, [("twitch:ünï",)]).to_pylist()
    assert {name: row[name] for name in VALUES} == VALUES
    assert row["event_timestamp"] == moment


def test_both_stores_write_the_same_bytes(client: redis.Redis, ours: FeatureStore, plain: FeatureStore) -> None:
    """Keys, fields and values."""
    frame, written = feature_row(present()), []
    for store in (ours, plain):
        client.flushall()
        store.write_to_online_store("channel_1m", frame)
        written.append({key: client.hgetall(key) for key in client.scan_iter()})
    assert written[0] == written[1]
    assert written[0]


def test_a_value_older_than_its_view_allows_is_missing(
    client: redis.Redis, valkey: str, views: dict[str, CompiledView], ours: FeatureStore, plain: FeatureStore
) -> None:
    """The plug-in does not serve it, in any way of reading; plain Feast does, which is why there is a plug-in."""
    del client
    write_ours(valkey, views["channel_1m"], feature_row(present() - timedelta(days=1, seconds=1)))
    nothing = dict.fromkeys(VALUES)
    assert read(plain) == VALUES
    assert read(ours) == nothing
    answer = asyncio.run(read_async(ours))
    assert {name: answer.to_dict()[name] for name in VALUES} == {name: [None] for name in VALUES}
    statuses = dict(zip(answer.proto.metadata.feature_names.val, answer.proto.results, strict=True))
    assert {tuple(statuses[name].statuses) for name in VALUES} == {(FieldStatus.NOT_FOUND,)}


def test_an_unknown_entity_is_missing(ours: FeatureStore, client: redis.Redis) -> None:
    """No row, no values."""
    del client
    assert read(ours) == dict.fromkeys(VALUES)


def test_an_older_write_through_feast_does_not_replace_a_newer_one(
    client: redis.Redis, valkey: str, views: dict[str, CompiledView], ours: FeatureStore
) -> None:
    """Materialisation or a push beside the job."""
    del client
    moment = present()
    write_ours(valkey, views["channel_1m"], feature_row(moment))
    ours.write_to_online_store("channel_1m", feature_row(moment - timedelta(minutes=1), message_count=1))
    assert read(ours) == VALUES
    ours.write_to_online_store("channel_1m", feature_row(moment + timedelta(minutes=1), message_count=9))
    assert read(ours)["message_count"] == 9


def test_feast_and_the_job_writing_at_once_end_in_the_newest(
    client: redis.Redis, valkey: str, views: dict[str, CompiledView], ours: FeatureStore
) -> None:
    """Both compare and set in one step."""
    del client
    moment = present()

    def job() -> None:
        for step in range(0, 60, 2):
            write_ours(valkey, views["channel_1m"], feature_row(moment + timedelta(seconds=step), message_count=step))

    thread = threading.Thread(target=job)
    thread.start()
    for step in range(59, 0, -2):
        ours.write_to_online_store("channel_1m", feature_row(moment + timedelta(seconds=step), message_count=step))
    thread.join()
    assert read(ours)["message_count"] == 59


def test_services_serve_all_windows(
    client: redis.Redis, valkey: str, views: dict[str, CompiledView], ours: FeatureStore
) -> None:
    """The names of the views keep equal feature names apart."""
    del client
    write_ours(valkey, views["channel_1m"], feature_row(present()))
    write_ours(valkey, views["channel_1h"], feature_row(present(), message_count=70))
    service = ours.get_feature_service("channel_live")
    answer = ours.get_online_features(service, [{"channel_id": "twitch:ünï"}], full_feature_names=True).to_dict()
    assert answer["channel_1m__message_count"] == [7]
    assert answer["channel_1h__message_count"] == [70]
    assert answer["channel_5m__message_count"] == [None]


def test_the_environment_names_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that sets it for the rest of EchoPulse sets it for Feast."""
    monkeypatch.setenv(VARIABLES["connection_string"], "10.0.0.1:7000")
    assert EchoPulseOnlineStoreConfig().connection_string == "10.0.0.1:7000"
    monkeypatch.delenv(VARIABLES["connection_string"])
    assert EchoPulseOnlineStoreConfig(connection_string="10.0.0.2:7000").connection_string == "10.0.0.2:7000"


def test_the_two_configurations_of_the_project_differ_in_the_store_alone(request: pytest.FixtureRequest) -> None:
    """feature_store.yaml and plain.yaml name one project, registry, server and format."""
    from feast.repo_config import load_repo_config  # noqa: PLC0415

    repo = request.config.rootpath / "features"
    one, other = (load_repo_config(repo, repo / name) for name in ("feature_store.yaml", "plain.yaml"))
    assert (one.project, one.registry.path) == (other.project, other.registry.path)
    assert one.entity_key_serialization_version == other.entity_key_serialization_version == 3
    assert one.online_store.connection_string == other.online_store.connection_string
    assert (one.online_store.type, other.online_store.type) == (OURS, PLAIN)
    assert Path(repo / one.registry.path).resolve().parent == request.config.rootpath / ".echopulse"


def test_an_encrypted_store_is_read_by_the_plug_in_alone(
    client: redis.Redis,
    repo: Path,
    views: dict[str, CompiledView],
    plain: FeatureStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Written through Feast's own calls; plain Feast gets bytes, and a plug-in without the key one line."""
    del client, views
    monkeypatch.setenv("STORE_KEYS", "k1=" + base64.b64encode(bytes(32)).decode())
    monkeypatch.setenv(VARIABLES["keys"], "env:STORE_KEYS")
    ours = FeatureStore(str(repo))
    ours.write_to_online_store("channel_1m", feature_row(present()))
    assert read(ours) == VALUES
    assert asyncio.run(read_async(ours)).to_dict()["message_count"] == [7]
    assert all(value.startswith(MARK) for value in read(plain).values())
    monkeypatch.delenv(VARIABLES["keys"])
    with pytest.raises(EchoPulseError, match="encrypted under the key 'k1', which is not known here"):
        read(FeatureStore(str(repo)))
