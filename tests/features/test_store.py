"""Applying a repository: all or nothing, what is gone is removed, and what is broken told in one line."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from features.machinery.catalog import compiled_views
from features.machinery.connection import OnlineStoreSettings
from features.machinery.online_writer import OnlineWriter
from features.machinery.store import apply, open_store, read
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path

    import redis

CONFIG = """
project: echopulse
provider: local
registry: registry.db
online_store: {{type: redis, connection_string: "{address}"}}
offline_store: {{type: duckdb}}
entity_key_serialization_version: 3
"""


def repository(folder: Path, address: str, name: str, declarations: str) -> Path:
    """A repository with one file of declarations; its name is new, because Python imports a name once."""
    folder.mkdir(exist_ok=True)
    (folder / "feature_store.yaml").write_text(CONFIG.format(address=address), encoding="utf-8")
    (folder / f"{name}.py").write_text(declarations, encoding="utf-8")
    return folder


def test_what_is_applied_can_be_listed_and_is_kept_compiled(tmp_path: Path, valkey: str) -> None:
    """The registry holds the declarations; the cache holds the views, so that no process need import Feast."""
    repo = repository(tmp_path / "repo", valkey, "all_declared", "from features.services import *\n")
    applied = apply(repo, tmp_path / "cache")
    assert (applied.entities, applied.removed) == (["channel", "user"], [])
    assert applied.services == ["channel_live", "user_live"]
    store = open_store(repo)
    assert len(store.list_stream_feature_views()) == len(applied.views) == 6
    assert len(list((tmp_path / "cache").rglob("*.json"))) == 2
    assert compiled_views(repo, tmp_path / "cache") == applied.views


def test_applying_twice_changes_nothing_and_what_is_gone_is_removed(tmp_path: Path, valkey: str) -> None:
    """A view that is no longer declared leaves the registry."""
    repo = repository(
        tmp_path / "repo", valkey, "two_views", "from features.views import CHANNEL, CHANNEL_1M, CHANNEL_5M\n"
    )
    assert apply(repo, tmp_path).removed == apply(repo, tmp_path).removed == []
    (repo / "two_views.py").unlink()
    repository(repo, valkey, "one_view", "from features.views import CHANNEL, CHANNEL_1M\n")
    assert "channel_5m" in apply(repo, tmp_path).removed
    assert [view.name for view in open_store(repo).list_stream_feature_views()] == ["channel_1m"]


OWN_STORE = """
project: echopulse
provider: local
registry: ${ECHOPULSE_TEST_REGISTRY}
online_store: {type: features.machinery.online_store.EchoPulseOnlineStore, connection_string: "127.0.0.1:1"}
offline_store: {type: duckdb}
entity_key_serialization_version: 3
"""


def test_variables_hold_while_a_store_is_opened(tmp_path: Path, valkey: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Configuration and plug-in read them, and keep what they read; the process has its own back, set or not."""
    repo = repository(tmp_path / "repo", valkey, "with_variables", "from features.views import CHANNEL, CHANNEL_1M\n")
    (repo / "feature_store.yaml").write_text(OWN_STORE, encoding="utf-8")
    monkeypatch.setenv("ECHOPULSE_ONLINE_STORE__CONNECTION", "127.0.0.1:2")
    before = dict(os.environ)
    own = {"ECHOPULSE_TEST_REGISTRY": "mine.db", "ECHOPULSE_ONLINE_STORE__CONNECTION": valkey}
    apply(repo, tmp_path, own)
    assert (repo / "mine.db").is_file()
    assert dict(os.environ) == before
    store = open_store(repo, own)
    assert dict(os.environ) == before
    assert store.config.online_store.connection_string == valkey
    assert read(store, "channel_1m", {"channel_id": "c"})["found"] is False
    with pytest.raises(EchoPulseError, match=r"no feature_store\.yaml"):
        open_store(tmp_path, own)
    assert dict(os.environ) == before


BROKEN_VIEW = """
from datetime import timedelta
from feast.aggregation import Aggregation
from features.entities import CHANNEL
from features.views import CHANNEL_1M, StreamFeatureView, analysed_events

FIELDS = [field for field in CHANNEL_1M.schema if field.name in ("channel_id", "message_count")]
BROKEN = StreamFeatureView(
    name="broken", entities=[CHANNEL], schema=FIELDS, source=analysed_events("broken"),
    aggregations=[Aggregation(name="message_count", function="cuont", column="event_id",
                              time_window=timedelta(minutes=1))],
    timestamp_field="ts",
)
"""


def test_nothing_is_applied_where_a_view_does_not_compile(tmp_path: Path, valkey: str) -> None:
    """The error names the view, the aggregation and the near miss; the registry is not touched."""
    repo = repository(tmp_path / "repo", valkey, "broken_view", BROKEN_VIEW)
    with pytest.raises(EchoPulseError, match=r"view 'broken', aggregation 'message_count': no function 'cuont'"):
        apply(repo, tmp_path)
    assert not (repo / "registry.db").exists()


def test_a_process_of_its_own_tells_the_same(tmp_path: Path, valkey: str) -> None:
    """The error of a view comes through from the process that compiles."""
    repo = repository(tmp_path / "repo", valkey, "broken_view", BROKEN_VIEW)
    with pytest.raises(EchoPulseError, match=r"view 'broken', aggregation .* \(did you mean 'count'\?\)"):
        compiled_views(repo, tmp_path)


def test_declarations_that_do_not_load_are_told(tmp_path: Path, valkey: str) -> None:
    """Whatever the user's code raised."""
    repo = repository(tmp_path / "repo", valkey, "cannot_load", "import no_such_module\n")
    with pytest.raises(EchoPulseError, match="cannot load the declarations: ModuleNotFoundError"):
        apply(repo, tmp_path)


def test_a_folder_that_is_no_repository_is_told(tmp_path: Path) -> None:
    """One line that says what is missing."""
    with pytest.raises(EchoPulseError, match=r"no feature_store\.yaml in it"):
        open_store(tmp_path)


def test_a_registry_that_cannot_be_read_is_told(tmp_path: Path, valkey: str) -> None:
    """A file of another kind, or one cut short."""
    repo = repository(tmp_path / "repo", valkey, "unread", "")
    (repo / "registry.db").write_bytes(b"\xff\xff not a registry")
    with pytest.raises(EchoPulseError, match=r"Feast registry registry\.db: cannot be read: DecodeError") as error:
        open_store(repo)
    assert "feature apply" in str(error.value)


@pytest.mark.parametrize(
    "text", ["project: [", "project: echopulse\nregistry: r.db\nprovider: local\nonline_store: {type: rediss}\n"]
)
def test_a_configuration_that_cannot_be_read_is_told(tmp_path: Path, text: str) -> None:
    """Bad YAML, an unknown kind of store."""
    (tmp_path / "feature_store.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(EchoPulseError, match=r"feature_store\.yaml: "):
        open_store(tmp_path)


def test_reading_tells_unknown_views_and_keys(tmp_path: Path, valkey: str) -> None:
    """The near miss of a view, of a key, and a key left out."""
    repo = repository(tmp_path / "repo", valkey, "for_reading", "from features.services import *\n")
    empty = repository(tmp_path / "empty", valkey, "for_nothing", "")
    apply(repo, tmp_path)
    store = open_store(repo)
    with pytest.raises(EchoPulseError, match=r"no feature view 'chanel_1m' \(did you mean 'channel_1m'\?\)"):
        read(store, "chanel_1m", {"channel_id": "c"})
    with pytest.raises(EchoPulseError, match=r"view 'channel_1m' has no key 'channel' \(did you mean 'channel_id'\?\)"):
        read(store, "channel_1m", {"channel": "c"})
    with pytest.raises(EchoPulseError, match="view 'channel_1m' needs the key 'channel_id'"):
        read(store, "channel_1m", {})
    with pytest.raises(EchoPulseError, match="the registry is empty"):
        read(open_store(empty), "channel_1m", {"channel_id": "c"})
    assert read(store, "channel_1m", {"channel_id": "nobody"})["found"] is False


def test_reading_gives_the_features_and_their_time(
    tmp_path: Path, client: redis.Redis, valkey: str, now_ms: int
) -> None:
    """What the job wrote, by name, and the end of its window in seconds."""
    del client
    repo = repository(tmp_path / "repo", valkey, "for_values", "from features.services import *\n")
    views = {view.name: view.schema for view in apply(repo, tmp_path).views}
    row = {"message_rate": 2.5, "mean_toxicity": 0.25, "repeats": 1}
    stamp = pa.array([now_ms], pa.timestamp("ms", "UTC"))
    batch = pa.record_batch({"user_id": ["u"], **{k: [v] for k, v in row.items()}, "event_timestamp": stamp})
    OnlineWriter(OnlineStoreSettings(valkey)).write(views["user_5m"], batch)
    expected = {"found": True, "event_timestamp": now_ms // 1_000, "features": row}
    assert read(open_store(repo), "user_5m", {"user_id": "u"}) == expected


def test_an_online_store_that_is_away_is_told(tmp_path: Path) -> None:
    """One line with the view."""
    repo = repository(tmp_path / "repo", "127.0.0.1:1", "for_nobody", "from features.services import *\n")
    apply(repo, tmp_path)
    with pytest.raises(EchoPulseError, match="channel_1m: the online store does not answer"):
        read(open_store(repo), "channel_1m", {"channel_id": "c"})
