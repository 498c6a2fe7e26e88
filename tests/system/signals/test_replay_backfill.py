"""A backfill over what the stream wrote: the same rows, late events made good, newer values online left alone."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from echopulse.gateway.dead_letters import DeadLetterProducer
from echopulse.gateway.producer import EventProducer
from echopulse.job.configuration import online_store
from echopulse.job.lake import lake_table
from features.machinery.online_writer import OnlineWriter
from tests.system.chat import conversation, write_jsonl
from tests.system.expected import feature_rows, lake_rows, newest, online_rows, same, scored
from tests.system.own_stack import echopulse

if TYPE_CHECKING:
    import subprocess

    import pandas as pd

    from features.machinery.view_spec import ViewSpec
    from tests.system.signals.conftest import Signals

pytestmark = [pytest.mark.system, pytest.mark.timeout(1_200)]

PREFIX = "backfilled"
EVENTS, MINUTES = 3_000, 12
_COMMAND_S, _SEEN_S = 500, 120


@dataclass(frozen=True)
class Streamed:
    """What the stream was sent, and from when to when its windows end."""

    signals: Signals
    events: pa.RecordBatch
    start_ms: int
    end_ms: int

    def backfill(self, *arguments: str, end_ms: int | None = None) -> subprocess.CompletedProcess[str]:
        """Run the command over the span."""
        ends = (self.start_ms, self.end_ms if end_ms is None else end_ms)
        span = [datetime.fromtimestamp(end / 1000, UTC).isoformat() for end in ends]
        command = ["pipeline", "backfill", "--from", span[0], "--to", span[1], "--json", *arguments]
        return echopulse(self.signals.settings, *command, timeout_s=_COMMAND_S)

    def done(self, *arguments: str) -> dict[str, Any]:
        """Run the command, which must succeed, and return its document."""
        done = self.backfill(*arguments)
        assert done.returncode == 0, done.stderr
        document = json.loads(done.stdout)
        assert isinstance(document, dict)
        return document

    def rows(self, spec: ViewSpec) -> pd.DataFrame:
        """The lake's rows of a view."""
        return lake_rows(self.signals.settings, spec, PREFIX, self.end_ms)


@pytest.fixture(scope="module")
def streamed(signals: Signals, tmp_path_factory: pytest.TempPathFactory) -> Streamed:
    """Replay some minutes of chat."""
    start_ms = signals.timeline.take(MINUTES)
    events = conversation(PREFIX, start_ms, minutes=MINUTES, count=EVENTS, seed=5)
    path = write_jsonl(tmp_path_factory.mktemp("backfill") / "chat.jsonl", events)
    report = signals.replay(path)
    assert report.aligned_end_ms is not None
    return Streamed(signals, events, start_ms, report.aligned_end_ms)


def test_a_busy_cluster_and_an_open_span_are_told(streamed: Streamed) -> None:
    """The job has all slots; windows that the stream has not closed are its own."""
    done = streamed.backfill()
    assert done.returncode == 1
    assert "has no free slot (--here runs the backfill in this process, beside it)" in done.stderr
    done = streamed.backfill("--here", end_ms=streamed.end_ms + 3_600_000)
    assert done.returncode == 1
    assert "may still be written by the stream" in done.stderr


def test_rows_equal_the_streams_and_late_events_are_made_good(streamed: Streamed) -> None:
    """Nothing differs at first; then a late event counts, and a newer value online stays as it is."""
    signals, before = streamed.signals, {}
    for spec in signals.specs:
        before[spec.name] = streamed.rows(spec)
    done = streamed.done("--here")
    assert done["published"] == done["replaced"] > 0
    for spec in signals.specs:
        same(streamed.rows(spec), before[spec.name], spec.name)
    beam = streamed.done("--engine", "beam", "--again")
    assert beam["published"] == beam["replaced"] == done["published"]
    for spec in signals.specs:
        same(streamed.rows(spec), before[spec.name], f"{spec.name} by Beam")

    late = _late_event(streamed)
    newer = _write_newer(streamed, signals.specs[0])
    again = streamed.done("--here", "--again")
    assert again["published"] >= done["published"]
    analysed = scored(pa.RecordBatch.from_pylist([*streamed.events.to_pylist(), late], streamed.events.schema))
    for spec in signals.specs:
        wanted = feature_rows(spec, analysed, streamed.end_ms)
        same(streamed.rows(spec), wanted, f"{spec.name} with the late event")
        latest = newest(spec, wanted)
        key = spec.join_keys[0].name
        online = online_rows(signals.settings, spec, latest[key].tolist())
        if spec is signals.specs[0]:
            stored = online[online[key] == newer].iloc[0]
            assert stored["event_timestamp"] == streamed.end_ms + 1_000
            online, latest = (rows[rows[key] != newer].reset_index(drop=True) for rows in (online, latest))
        same(online, latest, f"{spec.name} online")

    assert streamed.done("--here")["days"] == []


def _late_event(streamed: Streamed) -> dict[str, Any]:
    """Send one more message of the first minutes; the lake has it as late."""
    signals = streamed.signals
    event: dict[str, Any] = streamed.events.slice(0, 1).to_pylist()[0] | {
        "id": f"{PREFIX}-late",
        "raw_payload": b'{"text": "you stupid moron", "lang": "en"}',
        "metadata": [("kind", "message")],
    }
    letters = DeadLetterProducer(signals.bootstrap)
    with letters, EventProducer(signals.bootstrap, letters) as producer:
        producer.send(pa.RecordBatch.from_pylist([event], streamed.events.schema))
    deadline = time.monotonic() + _SEEN_S
    seen = (pc.field("event_id") == event["id"]) & pc.field("late")
    while not ((table := lake_table(signals.settings.lake, "events")) and table.count_rows(filter=seen)):
        assert time.monotonic() < deadline
        time.sleep(1)
    return event


def _write_newer(streamed: Streamed, spec: ViewSpec) -> str:
    """Write a row of a view online that is newer than the span; return whose it is."""
    rows = newest(spec, streamed.rows(spec)).head(1).assign(event_timestamp=streamed.end_ms + 1_000)
    view = next(view for view in streamed.signals.views if view.name == spec.name)
    batch = pa.RecordBatch.from_pandas(rows[list(view.columns)], preserve_index=False)
    place = batch.schema.get_field_index("event_timestamp")
    batch = batch.set_column(place, "event_timestamp", batch.column(place).cast(pa.timestamp("ms", "UTC")))
    writer = OnlineWriter(online_store(streamed.signals.settings))
    assert writer.write(view.schema, batch) == 1
    writer.close()
    return str(rows[spec.join_keys[0].name].iloc[0])
