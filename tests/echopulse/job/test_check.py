"""A check of consistency over a small lake and a real store: nothing to say, then one thing wrong at a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import redis

from echopulse.job import check as checking
from echopulse.job.check import Checked, Request, check
from echopulse.settings import Settings
from echopulse.settings_sections import Flink, Lake, OnlineStore
from features.machinery.connection import OnlineStoreSettings
from features.machinery.online_writer import OnlineWriter
from features.machinery.oracle import windows
from features.machinery.redis_format import entity_keys, field_name
from features.machinery.view_spec import EVENT_TIMESTAMP, AggregationSpec, Column, ViewSchema, ViewSpec
from schemas.errors import EchoPulseError
from tests.features.conftest import Valkey

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.echopulse.job.conftest import ScriptedFlink

START_MS = 1_760_000_400_000  # a multiple of five minutes
END_MS = START_MS + 180_000
CHANNELS = ("c0", "c1", "c2", "c3")


def _view(name: str, key: str, window_s: int, slide_s: int) -> ViewSpec:
    aggregations = (
        AggregationSpec("messages", "count", "event_id", window_s * 1_000, slide_s * 1_000),
        AggregationSpec("toxicity", "mean", "toxicity", window_s * 1_000, slide_s * 1_000),
    )
    features = (Column("messages", "int64"), Column("toxicity", "float64"))
    return ViewSpec(name, (Column(key, "string"),), features, aggregations, {}, "kind != 'join'")


CHANNEL, USER = _view("channel_1m", "channel_id", 60, 10), _view("user_1m", "user_id", 60, 60)
VIEWS = [CHANNEL, USER]


def events() -> pd.DataFrame:
    """Three minutes of messages, one every two seconds; `c3` falls silent after the first, and nobody is late."""
    rows = [
        (
            f"e{n:03}",
            CHANNELS[n % 4],
            f"u{n % 5}",
            "join" if n % 7 == 0 else "message",
            START_MS + n * 2_000,
            n % 10 / 7,
        )
        for n in range(90)
        if n % 4 != 3 or n < 30
    ]
    names = ["event_id", "channel_id", "user_id", "kind", "ts", "toxicity"]
    return pd.DataFrame(rows, columns=names).assign(late=False)


class Stand:
    """A lake in a folder and a store, as the job leaves them."""

    def __init__(self, folder: Path, address: str) -> None:
        """Write events, rows and newest values."""
        self.folder = folder
        self.settings = Settings(
            home=folder / "home",
            lake=Lake(path=str(folder / "lake")),
            online_store=OnlineStore(connection=address),
            flink=Flink(rest="http://127.0.0.1:1", checkpoint_interval_ms=1),
        )
        self.writer = OnlineWriter(OnlineStoreSettings(address))
        self.events = events()
        self.write_events(self.events)
        for view in VIEWS:
            rows = windows(view, self.events.assign(stage=""))
            rows = rows[rows[EVENT_TIMESTAMP] <= END_MS]
            self.write_rows(view, rows)
            key = view.join_keys[0].name
            self.put(view, rows.sort_values(EVENT_TIMESTAMP).drop_duplicates(key, keep="last"))

    def write_events(self, frame: pd.DataFrame, name: str = "part-0") -> None:
        """Write events as the job's sink does, by hour."""
        hours = pd.to_datetime(frame["ts"], unit="ms").dt.strftime("date=%Y-%m-%d/hour=%H")
        for hour, rows in frame.groupby(hours):
            table = pa.Table.from_pandas(rows, preserve_index=False)
            place = table.schema.get_field_index("ts")
            table = table.set_column(place, "ts", table.column("ts").cast(pa.timestamp("ms")))
            folder = self.folder / "lake" / "events" / str(hour)
            folder.mkdir(parents=True, exist_ok=True)
            pq.write_table(table, folder / name)

    def write_rows(self, view: ViewSpec, rows: pd.DataFrame) -> None:
        """Write feature rows where the job does; all lie in one hour."""
        folder = self.folder / "lake" / "features" / view.name / "date=2025-10-09" / "hour=09"
        folder.mkdir(parents=True)
        ends = pa.array(rows[EVENT_TIMESTAMP].to_numpy(), pa.timestamp("ms"))
        pq.write_table(pa.table({EVENT_TIMESTAMP: ends}), folder / "part-0")

    def put(self, view: ViewSpec, rows: pd.DataFrame) -> None:
        """Write rows online as the job does."""
        ends = pa.array(rows[EVENT_TIMESTAMP].to_numpy(), pa.timestamp("ms", "UTC"))
        table = pa.Table.from_pandas(rows.drop(columns=EVENT_TIMESTAMP), preserve_index=False)
        for batch in table.append_column(EVENT_TIMESTAMP, ends).combine_chunks().to_batches():
            self.writer.write(schema(view), batch)

    def check(self, views: list[ViewSpec] | None = None, **more: Any) -> Checked:  # noqa: ANN401 of Request
        """Check all views."""
        return check(self.settings, views or VIEWS, Request(**more))


def schema(view: ViewSpec) -> ViewSchema:
    """What a writer needs of a view."""
    return ViewSchema(view.name, view.join_keys, view.features, view.ttl_s)


def hash_key(view: ViewSpec, entity: str) -> bytes:
    """The key of an entity's hash."""
    batch = pa.RecordBatch.from_arrays([pa.array([entity])], [view.join_keys[0].name])
    [key] = entity_keys(schema(view), "echopulse", batch).to_pylist()
    assert isinstance(key, bytes)
    return key


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of this module's own: host:port."""
    server = Valkey(tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server.address
    server.stop()


@pytest.fixture
def client(valkey: str) -> Iterator[redis.Redis]:
    """A client of the emptied server."""
    host, port = valkey.split(":")
    with redis.Redis(host, int(port), socket_timeout=5) as connection:
        connection.flushall()
        yield connection


@pytest.fixture
def stand(client: redis.Redis, valkey: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stand:
    """Lake and store that agree; nothing is waited for."""
    client.ping()
    monkeypatch.setattr(checking, "_LEAST_CHECKPOINT_S", 0.001)
    monkeypatch.setattr(checking, "_POLL_S", 0.001)
    return Stand(tmp_path, valkey)


def test_values_of_the_lakes_events_are_equal(stand: Stand) -> None:
    """Rows of entities that speak and of those that fell silent; nothing is left out."""
    found = stand.check()
    assert found.complete_ms == END_MS
    assert found.totals == {"equal": 18, "mismatch": 0, "missing": 0, "extra": 0, "late": 0, "error": 0}
    report = found.views["channel_1m"]
    assert (report.entities, report.checked, report.stale, report.older, report.unsettled) == (4, 4, 0, 0, 0)
    assert report.features["messages"]["equal"] == 4
    assert (found.wrong, found.worst) == (0, None)


def test_the_sample_is_that_of_its_seed(stand: Stand) -> None:
    """As many from the store as from the lake; here those are the same."""
    one = stand.check(views=[USER], sample=2).views["user_1m"]
    assert (one.entities, one.checked) == (2, 2)


def test_a_wrong_value_is_found_and_named(stand: Stand) -> None:
    """The worst is the one that is furthest off, by its share; a rounding in the last digits is none."""
    rows = windows(CHANNEL, stand.events.assign(stage=""))
    [row] = rows[(rows["channel_id"] == "c1") & (rows[EVENT_TIMESTAMP] == END_MS)].to_dict("records")
    stand.put(CHANNEL, pd.DataFrame([row | {"messages": row["messages"] + 1, "toxicity": row["toxicity"] * 1.01}]))
    found = stand.check()
    assert found.totals["mismatch"] == found.wrong == 2
    worst = found.worst
    assert worst is not None
    assert (worst.view, worst.entity) == ("channel_1m", {"channel_id": "c1"})
    assert (worst.feature, worst.outcome) == ("messages", "mismatch")
    assert (worst.online, worst.recomputed, worst.event_timestamp) == (row["messages"] + 1, row["messages"], END_MS)
    stand.put(CHANNEL, pd.DataFrame([row | {"toxicity": row["toxicity"] * (1 + 1e-12)}]))
    assert stand.check().wrong == 0


def test_a_row_that_is_not_there_is_missing(stand: Stand, client: redis.Redis) -> None:
    """So is a newer one than the row that is there."""
    client.delete(hash_key(CHANNEL, "c0"), hash_key(CHANNEL, "c1"))
    rows = windows(CHANNEL, stand.events.assign(stage=""))
    stand.put(CHANNEL, rows[(rows["channel_id"] == "c1") & (rows[EVENT_TIMESTAMP] == END_MS - 10_000)])
    report = stand.check().views["channel_1m"]
    assert (report.checked, report.missing, report.stale) == (4, 1, 1)
    counts = report.features["messages"]
    assert (counts["checked"], counts["equal"], counts["missing"], counts["mismatch"]) == (4, 2, 2, 0)
    worst = report.worst
    assert worst is not None
    assert (worst.outcome, worst.online, worst.event_timestamp) == ("missing", None, END_MS)


def test_a_row_without_a_reason_is_extra(stand: Stand) -> None:
    """Of nobody the lake knows, or at a time that is no window's end."""
    row = {"channel_id": "ghost", "messages": 1, "toxicity": 0.5, EVENT_TIMESTAMP: END_MS}
    stand.put(CHANNEL, pd.DataFrame([row, row | {"channel_id": "c0", EVENT_TIMESTAMP: END_MS - 1}]))
    found = stand.check(views=[CHANNEL])
    assert (found.totals["extra"], found.totals["equal"], found.totals["missing"]) == (2, 8, 0)
    assert found.worst is not None
    assert (found.worst.entity, found.worst.online, found.worst.recomputed) == ({"channel_id": "ghost"}, 1, None)


def test_late_events_explain_what_they_may(stand: Stand) -> None:
    """A value with them or without is equal; one between the two is late, and no mismatch."""
    late = stand.events.iloc[-3:].assign(
        event_id=["l0", "l1", "l2"], channel_id=["c0", "c0", "c1"], kind="message", toxicity=0.5, late=True
    )
    stand.write_events(late, "part-1")
    report = stand.check().views["channel_1m"]
    assert report.late_events == 3
    assert report.features["messages"]["equal"] == 4
    rows = windows(CHANNEL, pd.concat([stand.events, late]).assign(stage=""))
    newest = rows[rows[EVENT_TIMESTAMP] == END_MS].set_index("channel_id")
    stand.put(CHANNEL, newest.loc[["c1"]].reset_index())
    between = newest.loc[["c0"]].reset_index()
    stand.put(CHANNEL, between.assign(messages=between["messages"] - 1))
    counts = stand.check().views["channel_1m"].features["messages"]
    assert (counts["equal"], counts["late"], counts["mismatch"]) == (3, 1, 0)


def test_what_cannot_be_judged_is_left_out_and_counted(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows ahead of the lake are waited for, then left; so are rows of windows that ended long ago."""
    ahead = {"channel_id": "c0", "messages": 1, "toxicity": 0.5, EVENT_TIMESTAMP: END_MS + 10_000}
    stand.put(CHANNEL, pd.DataFrame([ahead]))
    report = stand.check().views["channel_1m"]
    assert (report.unsettled, report.checked, report.total("equal")) == (1, 3, 6)
    monkeypatch.setattr(checking, "RECENT_MS", 60_000)
    report = stand.check().views["channel_1m"]
    assert (report.older, report.checked) == (1, 2)
    early = stand.check(at_ms=END_MS - 1).views["channel_1m"]
    assert (early.unsettled, early.checked) == (3, 1)


def test_a_job_that_began_empty_is_held_to_its_own_windows(
    stand: Stand, flink: ScriptedFlink, client: redis.Redis
) -> None:
    """Events that an earlier job wrote: what holds them is left out, and counted; later windows are judged."""
    began_ms = time.time_ns() // 1_000_000 + 60_000
    job = {"jid": "j", "name": "signals", "state": "RUNNING", "start-time": began_ms}
    flink.answer("GET /jobs/overview", {"jobs": [job]})
    flink.answer("GET /jobs/j/config", {"execution-config": {"user-config": {}}})
    settings = stand.settings.model_copy(update={"flink": Flink(rest=flink.rest, checkpoint_interval_ms=1)})
    client.delete(hash_key(CHANNEL, "c0"))
    found = check(settings, VIEWS, Request())
    assert found.earlier_ms == stand.events["ts"].max()
    assert (found.before_job, found.wrong) == (9, 0)
    assert {report.checked for report in found.views.values()} == {0}
    flink.answer("GET /jobs/overview", {"jobs": [job | {"start-time": 1}]})
    again = check(settings, VIEWS, Request())
    assert (again.earlier_ms, again.before_job, again.views["channel_1m"].missing) == (None, 0, 1)


def test_an_unreadable_value_is_an_error_of_its_own(stand: Stand, client: redis.Redis) -> None:
    """The others of its row and the other rows are compared."""
    client.hset(hash_key(CHANNEL, "c0"), field_name("channel_1m", "messages"), b"\x12\x03abc")  # type: ignore[arg-type] # bytes are as good
    found = stand.check()
    features = found.views["channel_1m"].features
    assert (features["messages"]["error"], features["messages"]["equal"]) == (1, 3)
    assert (features["toxicity"]["error"], features["toxicity"]["equal"]) == (0, 4)
    assert (found.wrong, found.worst) == (1, None)


def test_too_many_events_leave_entities_out(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of those sampled, over and over, until they fit."""
    monkeypatch.setattr(checking, "MOST_EVENTS", 50)
    report = stand.check().views["channel_1m"]
    assert (report.entities, report.checked, report.total("equal"), report.given_up) == (2, 2, 4, 2)


def test_what_stands_in_the_way_is_told(tmp_path: Path, stand: Stand) -> None:
    """A lake without rows, and a store that is away."""
    nothing = stand.settings.model_copy(update={"lake": Lake(path=str(tmp_path / "none"))})
    with pytest.raises(EchoPulseError) as caught:
        check(nothing, VIEWS, Request())
    assert str(caught.value) == (
        f"{tmp_path / 'none'} holds no rows of channel_1m, user_1m: which windows are complete is not known "
        "(run it when the job has written some)"
    )
    away = stand.settings.model_copy(update={"online_store": OnlineStore(connection="127.0.0.1:1")})
    with pytest.raises(EchoPulseError, match=r"^cannot list the online store's keys: .*refused"):
        check(away, VIEWS, Request())
