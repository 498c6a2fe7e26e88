"""`echopulse up --replay --until-idle --json`: a file through everything, one report, and nothing left behind."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from echopulse import stack
from echopulse.gateway.producer import EventProducer
from tests.system.chat import conversation, write_jsonl
from tests.system.expected import scored
from tests.system.own_stack import echopulse, left_running, own_settings

if TYPE_CHECKING:
    from pathlib import Path

    from echopulse.settings import Settings

pytestmark = [pytest.mark.system, pytest.mark.proof, pytest.mark.timeout(900)]

#: Long past: the command moves the times so that the newest is now.
START_MS = 1_700_000_000_000
EVENTS = 2_000
REPORT = {
    *("events_in", "analysed", "dlq", "shadow", "feature_rows", "events_per_second"),
    *("analysis_latency_ms", "feature_freshness_ms", "view_freshness_ms", "unaccounted", "repeats", "late", "restarts"),
}


def test_a_file_is_replayed_and_reported(tmp_path: Path) -> None:
    """The one document on stdout balances; bad lines are dead letters; no process stays behind.

    A second run in the same home gives the same counts, whatever lies unread on the topic.
    """
    events = conversation("up", START_MS, minutes=11, count=EVENTS, seed=3)
    path = write_jsonl(tmp_path / "chat.jsonl", events)
    with path.open("ab") as file:
        file.write(b'{"id": "cut\n{"id": "no-time", "channel": "up:channel-1"}\n')
    settings = own_settings(tmp_path / "home")
    done = echopulse(settings, "up", "--replay", str(path), "--until-idle", "--json", timeout_s=550)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    unique = len(scored(events))
    assert set(report) >= REPORT
    assert (report["events_in"], report["analysed"], report["dlq"]) == (EVENTS + 2, unique, 2)
    assert report["events_in"] == report["analysed"] + report["dlq"] + report["repeats"]
    assert (report["unaccounted"], report["late"], report["shadow"], report["restarts"]) == (0, 0, 0, 0)
    assert report["feature_rows"] > 0
    assert report["events_per_second"] > 0
    for name in ("analysis_latency_ms", "feature_freshness_ms"):
        assert 0 <= report[name]["p50"] <= report[name]["p99"]
    assert left_running(settings.home) == []
    _leave_unread(settings, conversation("unread", START_MS, minutes=11, count=300, seed=4))
    again = echopulse(settings, "up", "--replay", str(path), "--until-idle", "--json", timeout_s=350)
    assert again.returncode == 0, again.stderr
    assert "passing over for good what an earlier run left unread: 300 events;" in again.stderr
    second = json.loads(again.stdout)
    counts = ("events_in", "analysed", "dlq", "repeats", "unaccounted", "late", "restarts")
    assert [second[name] for name in counts] == [report[name] for name in counts]


def test_what_python_still_holds_is_waited_for(tmp_path: Path) -> None:
    """Of silent sources Flink drops the watermarks that Python functions hold back, and the last windows with them.

    Here they hold back for longer than it takes until a source is idle, as they do under the default settings on a
    machine that has other work for a minute. Who waits is told of what.
    """
    path = write_jsonl(tmp_path / "chat.jsonl", conversation("held", START_MS, minutes=2, count=200, seed=5))
    settings = own_settings(tmp_path / "home")
    held = {"BUNDLE_TIME_MS": "6000", "IDLE_TIMEOUT_MS": "1000"}
    changed = {f"ECHOPULSE_JOB__{name}": value for name, value in held.items()}
    changed["ECHOPULSE_FLINK__CHECKPOINT_INTERVAL_MS"] = "30000"  # each ends what Python functions hold
    done = echopulse(settings, "up", "--replay", str(path), "--until-idle", "--json", timeout_s=800, changed=changed)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["unaccounted"] == 0
    told = r"^waiting for task \d+ of \d+, .+: (its watermark is [\d,.]+ s behind the end|it has no watermark yet)$"
    assert re.search(told, done.stderr, re.MULTILINE), done.stderr
    assert left_running(settings.home) == []


def _leave_unread(settings: Settings, events: pa.RecordBatch) -> None:
    """Put events of the next minutes on the topic while no job runs, as a job that was stopped leaves them."""
    with stack.up(settings, lambda _: None), EventProducer(settings.kafka.bootstrap) as producer:
        shift = pa.scalar(time.time_ns() // 1_000_000 - START_MS, pa.duration("ms"))
        place = events.schema.get_field_index("ts")
        producer.send(events.set_column(place, events.schema.field("ts"), pc.add(events.column("ts"), shift)))
    assert left_running(settings.home) == []
