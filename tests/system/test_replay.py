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
import pandas as pd
import pytest

from echopulse.job.audit import positions
from echopulse.job.environment import feast_environment
from echopulse.job.replay_run import ReplayRun, run_replay
from schemas.avro import FINGERPRINT_HEADER, fingerprint
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
from tests.system.topics_read import results

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from echopulse.job.topic_reader import Position
    from tests.system.conftest import Signals

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

PREFIX = "replayed"
EVENTS = 4_000
MINUTES = 12
READER = Path(__file__).with_name("feast_read.py")

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
    report = run_replay(
        signals.settings,
        signals.running,
        signals.views,
        path,
        rate=None,
        keep_time=True,
        mapping={},
        on_progress=lambda _: None,
        on_step=lambda _: None,
    )
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
