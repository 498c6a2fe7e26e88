"""A file through the running job: counts, features in lake and online store, results as others read them."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastavro
import grpc
import httpx
import pandas as pd
import pyarrow as pa
import pytest
from feast.protos.feast.types.Value_pb2 import Value
from google.protobuf.timestamp_pb2 import Timestamp
from prometheus_client.parser import text_string_to_metric_families

from echopulse.feature_query.server import FeatureServer
from echopulse.feature_query.sources import open_sources
from echopulse.job.audit import positions
from echopulse.job.configuration import online_store
from echopulse.job.environment import feast_environment
from features.machinery.connection import connect
from features.machinery.redis_format import entity_keys, field_name
from features.machinery.view_spec import ViewSchema
from pipelines.freshness import METRIC
from schemas import feature_query_pb2 as contract
from schemas.avro import FINGERPRINT_HEADER, fingerprint
from schemas.feature_query_pb2_grpc import FeatureQueryStub
from tests.system.chat import conversation, write_jsonl
from tests.system.expected import (
    check_features,
    check_lake_events,
    feature_rows,
    lake_rows,
    newest,
    others_rows,
    same,
    scored,
)
from tests.system.own_stack import echopulse
from tests.system.topics_read import results

if TYPE_CHECKING:
    from collections.abc import Mapping

    from echopulse.job.replay_run import ReplayRun
    from echopulse.job.topic_reader import Position
    from tests.system.signals.conftest import Signals

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

PREFIX = "replayed"
EVENTS = 4_000
MINUTES = 12
READER = Path(__file__).parents[1] / "feast_read.py"

#: The contract: an old reader knows these fields alone.
FIVE_FIELDS = {
    "type": "record",
    "name": "AnalysisResult",
    "namespace": "events",
    "fields": [
        {"name": "event_id", "type": "string"},
        {"name": "sentiment", "type": "string"},
        {"name": "toxicity", "type": "double"},
        {"name": "entities", "type": {"type": "array", "items": "string"}},
        {"name": "ts", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    ],
}


@dataclass(frozen=True)
class Replayed:
    """What was sent, what it must come to, what was reported, and how topics and job stood before."""

    events: pa.RecordBatch
    analysed: pd.DataFrame
    report: ReplayRun
    start: Mapping[str, Position]
    restarts: int
    begun_ms: int

    @property
    def end_ms(self) -> int:
        """The end of the last window that fired."""
        assert self.report.aligned_end_ms is not None
        return self.report.aligned_end_ms


@pytest.fixture(scope="module")
def replayed(signals: Signals, tmp_path_factory: pytest.TempPathFactory) -> Replayed:
    """Replay twelve minutes of chat, with their own times, at full speed."""
    events = conversation(PREFIX, signals.timeline.take(MINUTES), minutes=MINUTES, count=EVENTS, seed=1)
    path = write_jsonl(tmp_path_factory.mktemp("replay") / "chat.jsonl", events)
    begun_ms = time.time_ns() // 1_000_000
    start, restarts = positions(signals.bootstrap), signals.running.cluster.restarts(signals.running.job_id)
    report = signals.replay(path)
    return Replayed(events, scored(events), report, start, restarts, begun_ms)


def test_every_event_is_accounted_for(replayed: Replayed) -> None:
    """The report's counts are those of the file; nothing is late, nothing failed, the job was not restarted."""
    report, unique = replayed.report, len(replayed.analysed)
    assert 0 < unique < EVENTS
    assert (report.events_in, report.analysed, report.repeats, report.dlq) == (EVENTS, unique, EVENTS - unique, 0)
    assert (report.unaccounted, report.late, report.restarts) == (0, 0, replayed.restarts)


def test_features_are_the_oracles(signals: Signals, replayed: Replayed) -> None:
    """Every view's rows in the lake and its newest values online equal a pandas recomputation from the same events.

    The report counts what was written meanwhile, windows of earlier tests that end now among it.
    """
    check_features(signals.settings, signals.specs, replayed.analysed, PREFIX, replayed.end_ms)
    rows = sum(len(feature_rows(spec, replayed.analysed, replayed.end_ms)) for spec in signals.specs)
    others = sum(others_rows(signals.settings, spec, PREFIX, replayed.begun_ms) for spec in signals.specs)
    assert replayed.report.feature_rows - others == rows


def test_lake_holds_each_event_once(signals: Signals, replayed: Replayed) -> None:
    """Repeats are not in it."""
    check_lake_events(signals.settings, replayed.analysed, PREFIX)


def test_a_view_is_what_its_name_says(signals: Signals, replayed: Replayed) -> None:
    """`channel_1m`, computed by hand: every ten seconds, over the minute before, of messages; once more in silence."""
    spec = next(spec for spec in signals.specs if spec.name == "channel_1m")
    said = replayed.analysed[~replayed.analysed["kind"].isin(["join", "delete"])]
    rows: list[dict[str, object]] = []
    spoke: set[str] = set()
    for end in range(int(said["ts"].min()) // 10_000 * 10_000, replayed.end_ms + 1, 10_000):
        minute = said[(said["ts"] >= end - 60_000) & (said["ts"] < end)]
        for channel, messages in minute.groupby("channel_id"):
            rows.append(
                {
                    "channel_id": channel,
                    "message_count": len(messages),
                    "distinct_users": messages["user_id"].nunique(),
                    "toxic_share": (messages["toxic"] == 1).mean(),
                    "mean_toxicity": messages["toxicity"].mean(),
                    "sentiment_balance": (messages["sentiment"] == "positive").mean()
                    - (messages["sentiment"] == "negative").mean(),
                    "emoji_rate": messages["emoji_count"].sum() / len(messages),
                    "event_timestamp": end,
                }
            )
        silence: dict[str, object] = {"message_count": 0, "distinct_users": 0, "event_timestamp": end}
        rows += [{"channel_id": channel} | silence for channel in spoke - set(minute["channel_id"])]
        spoke = set(minute["channel_id"])
    assert any(row["message_count"] == 0 for row in rows)
    wanted = pd.DataFrame(rows).sort_values(["channel_id", "event_timestamp"], ignore_index=True)
    assert wanted["toxic_share"].nunique() > 5
    assert wanted["sentiment_balance"].nunique() > 5
    same(lake_rows(signals.settings, spec, PREFIX, replayed.end_ms), wanted, "channel_1m by hand")


def test_feature_query_answers_from_the_same_store_and_lake(
    signals: Signals, replayed: Replayed, request: pytest.FixtureRequest
) -> None:
    """By gRPC the newest values are the oracle's, online and as of their day, and the past is every row of the lake."""
    spec = next(spec for spec in signals.specs if spec.name == "channel_1m")
    wanted = newest(spec, feature_rows(spec, replayed.analysed, replayed.end_ms))
    channels = [contract.Entity(keys={"channel_id": channel}) for channel in wanted["channel_id"]]
    features = contract.Features(view=spec.name, names=["message_count"])
    at, end, begin = Timestamp(), Timestamp(), Timestamp()
    at.FromMilliseconds(replayed.end_ms + signals.settings.job.watermark_delay_ms)
    end.FromMilliseconds(replayed.end_ms + 1)
    begin.FromMilliseconds(int(replayed.analysed["ts"].min()))
    rows = lake_rows(signals.settings, spec, PREFIX, replayed.end_ms)
    of_one = rows[rows["channel_id"] == wanted["channel_id"].iloc[0]]
    with (
        FeatureServer(open_sources(signals.settings, request.config.rootpath / "features"), "127.0.0.1", 0) as server,
        grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        query = FeatureQueryStub(channel)
        online = query.ReadOnline(contract.OnlineRequest(features=features, entities=channels), timeout=30)
        then = query.ReadAsOf(contract.AsOfRequest(features=features, entities=channels, at=at), timeout=30)
        asked = contract.HistoryRequest(
            view=spec.name, names=["message_count"], entity=channels[0], begin=begin, end=end
        )
        past = [row for part in query.ReadHistory(asked, timeout=30) for row in part.rows]
    for table in (online, then):
        values = [_only(row) for row in table.rows]
        assert [value.int64 for value in values] == wanted["message_count"].tolist()
        assert [value.event_timestamp.ToMilliseconds() for value in values] == wanted["event_timestamp"].tolist()
    assert [_only(row).int64 for row in past] == of_one["message_count"].tolist()


def _only(row: contract.Row) -> contract.Value:
    [value] = row.values  # noqa: PD011 the field of a message
    return value


def test_feast_reads_the_features(signals: Signals, replayed: Replayed, tmp_path: Path) -> None:
    """Feast's own SDK, with the plug-in and without it, returns the newest values of every channel and user."""
    wanted = {spec.name: newest(spec, feature_rows(spec, replayed.analysed, replayed.end_ms)) for spec in signals.specs}
    request = {
        spec.name: {
            "key": spec.join_keys[0].name,
            "features": [feature.name for feature in spec.features],
            "entities": wanted[spec.name][spec.join_keys[0].name].tolist(),
        }
        for spec in signals.specs
    }
    repo = READER.parents[2] / "features"
    plain = tmp_path / "plain.yaml"
    text = (repo / "plain.yaml").read_text("utf-8")
    plain.write_text(text.replace("127.0.0.1:16379", signals.settings.online_store.connection), "utf-8")
    done = subprocess.run(
        [sys.executable, str(READER), str(repo), str(plain)],
        input=json.dumps(request),
        env=feast_environment(signals.settings) | {"PYTHONPATH": str(repo.parent)},
        cwd=tmp_path,
        timeout=200,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for store, answers in json.loads(done.stdout.splitlines()[-1]).items():
        for view, rows in answers.items():
            same(pd.DataFrame(rows), wanted[view], f"{view} by Feast, {store}")


def test_values_online_are_what_the_lakes_events_give(signals: Signals, replayed: Replayed) -> None:
    """`feature check` finds every value of every entity equal; then one that was changed in the store, and it alone."""
    repo = READER.parents[2] / "features"
    arguments = ("feature", "check", "--sample", "1000", "--repo", str(repo), "--json")
    done = echopulse(signals.settings, *arguments, timeout_s=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [found[outcome] for outcome in ("mismatch", "missing", "extra", "error", "late")] == [0] * 5
    assert found["worst"] is None
    for spec in signals.specs:
        wanted = newest(spec, feature_rows(spec, replayed.analysed, replayed.end_ms))
        report = found["views"][spec.name]
        assert report["checked"] >= len(wanted)
        assert report["unsettled"] == 0
        assert {counts["equal"] for counts in report["features"].values()} == {report["checked"]}
    spec = next(spec for spec in signals.specs if spec.name == "channel_5m")
    entity = str(newest(spec, feature_rows(spec, replayed.analysed, replayed.end_ms))["channel_id"].iloc[0])
    store = online_store(signals.settings)
    schema = ViewSchema(spec.name, spec.join_keys, spec.features)
    [key] = entity_keys(schema, store.project, pa.record_batch({"channel_id": [entity]})).to_pylist()
    field = field_name(spec.name, "message_count")
    with connect(store) as client:
        before = client.hget(key, field)
        client.hset(key, field, Value(int64_val=123_456).SerializeToString())
        try:
            wrong = echopulse(signals.settings, *arguments, timeout_s=120)
        finally:
            client.hset(key, field, before)
    assert wrong.returncode == 1
    assert f"channel_5m channel_id={entity} message_count at " in wrong.stderr
    assert "mismatch: online 123456, recomputed " in wrong.stderr
    said = json.loads(wrong.stdout)
    assert (said["mismatch"], said["missing"], said["extra"]) == (1, 0, 0)
    assert (said["worst"]["feature"], said["worst"]["online"]) == ("message_count", 123_456)


def test_freshness_is_counted_by_view(signals: Signals, replayed: Replayed) -> None:
    """The endpoint shows every row with events that the workers wrote, and the report each view's limit."""
    address = f"http://127.0.0.1:{signals.settings.stack.metrics_port}/metrics"
    page = httpx.get(address, timeout=10, trust_env=False).raise_for_status().text
    counted = {
        sample.labels["view"]: sample.value
        for metric in text_string_to_metric_families(page)
        for sample in metric.samples
        if sample.name == f"{METRIC}_count"
    }
    for spec in signals.specs:
        rows = feature_rows(spec, replayed.analysed, replayed.end_ms)
        # How much was written, or how often: no window with events has none.
        assert counted[spec.name] >= (rows[spec.features[0].name] > 0).sum()
    limits = {name: fresh["limit"] for name, fresh in replayed.report.view_freshness_ms.items()}
    assert limits == {view.name: view.slide_ms + 6_000 for view in signals.views}


def test_results_are_read_by_the_old_schema(signals: Signals, replayed: Replayed) -> None:
    """Five fields are enough to read `social.analysis`; key, time and fingerprint are on each record."""
    messages = results(signals.bootstrap, replayed.start)
    assert len(messages) == len(replayed.analysed)
    rows: list[dict[str, Any]] = []
    for message in messages:
        record = fastavro.schemaless_reader(io.BytesIO(message.value() or b""), _written(), FIVE_FIELDS)
        assert isinstance(record, dict)
        assert list(record) == ["event_id", "sentiment", "toxicity", "entities", "ts"]
        assert dict(message.headers() or []) == {FINGERPRINT_HEADER: fingerprint("analysis_result").encode()}
        assert message.timestamp()[1] == round(record["ts"].timestamp() * 1000)
        rows.append({"channel_id": (message.key() or b"").decode(), **record, "ts": message.timestamp()[1]})
    key = ["channel_id", "event_id"]
    found = pd.DataFrame(rows).sort_values(key, ignore_index=True)
    expected = replayed.analysed.sort_values(key, ignore_index=True)[list(found)]
    assert expected["entities"].map(len).sum() > 0
    found["entities"], expected["entities"] = found["entities"].map(list), expected["entities"].map(list)
    same(found, expected, "social.analysis")


def _written() -> dict[str, Any]:
    """The schema that the records were written with, as published."""
    path = READER.parents[2] / "schemas" / "analysis_result.avsc"
    schema = fastavro.parse_schema(json.loads(path.read_text("utf-8")))
    assert isinstance(schema, dict)
    return schema
