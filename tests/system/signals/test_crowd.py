"""The simulator's trend through the running job: trends, conversations and health as others read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from echopulse.gateway.dead_letters import DeadLetterProducer
from echopulse.gateway.producer import EventProducer
from echopulse.gateway.scenario import load_scenario
from echopulse.gateway.simulator import ground_truth, simulate
from echopulse.job.settle import settle
from echopulse.job.topic_reader import end_position, read_batches
from schemas.avro import FINGERPRINT_HEADER, fingerprint
from schemas.avro_crowd import CrowdRecord, decode_crowd
from schemas.topics import CONVERSATIONS, HEALTH, TRENDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from echopulse.job.topic_reader import Position
    from tests.system.signals.conftest import Signals

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

_TOPICS: dict[CrowdRecord, str] = {"trends": TRENDS, "conversations": CONVERSATIONS, "health": HEALTH}
#: The scenario's raid is over and its trend is well under way.
_SECONDS = 240
_RATE = 150.0


@pytest.fixture(scope="module")
def told(signals: Signals) -> tuple[int, dict[CrowdRecord, list[dict[str, Any]]]]:
    """Send the scenario's first minutes at full speed; return their start (ms UTC) and what the topics say of them."""
    # Trends look back six minutes: other tests' chat, then silence, would be a past that docs/crowd.md tells of.
    signals.timeline.take(10)
    start_ms = signals.timeline.take(_SECONDS // 60 + 2)  # its last heartbeat is a minute behind its end
    before = {topic: end_position(signals.bootstrap, topic) for topic in _TOPICS.values()}
    batches = simulate(load_scenario(), start_ms=start_ms + 5_000, seed=11, rate=_RATE, duration_s=_SECONDS)
    with DeadLetterProducer(signals.bootstrap) as letters, EventProducer(signals.bootstrap, letters) as producer:
        for batch in batches:
            producer.send(batch)
        producer.flush()
        last_ms = start_ms + 5_000 + _SECONDS * 1_000
        producer.heartbeat(last_ms + signals.settings.job.watermark_delay_ms + 60_000)
    settle(signals.running.cluster, signals.running.job_id, signals.bootstrap, last_ms)
    return start_ms + 5_000, {name: _read(signals, before, name) for name in _TOPICS}


def _read(signals: Signals, before: Mapping[str, Position], name: CrowdRecord) -> list[dict[str, Any]]:
    topic = _TOPICS[name]
    records = []
    for batch in read_batches(signals.bootstrap, before[topic], end_position(signals.bootstrap, topic)):
        for message in batch:
            record = decode_crowd(name, message.value() or b"")
            assert dict(message.headers() or [])[FINGERPRINT_HEADER] == fingerprint(name).encode()
            assert (message.key() or b"").decode() == record["channel_id"]
            records.append(record)
    return records


def test_the_planted_trend_is_told(told: tuple[int, dict[CrowdRecord, list[dict[str, Any]]]]) -> None:
    """In its channels and over all it is in the top 3 within a minute of its beginning; the raid never is."""
    start_ms, records = told
    scenario = load_scenario()
    trend = next(p for p in ground_truth(scenario, start_ms=start_ms, duration_s=_SECONDS) if p.kind == "trend")
    first: dict[str, float] = {}
    for record in records["trends"]:
        top = [told["term"].lower() for told in record["trends"][:3]]
        assert not {"raid", "shift", "night", "owls"} & {word for term in top for word in term.split()}, record
        if trend.hashtag.lower() in top:
            end_ms = record["window_end"].timestamp() * 1_000
            first[record["channel_id"]] = min(first.get(record["channel_id"], end_ms), end_ms)
    assert {"", "x-politics", "discord-anime"} <= set(first) <= {*trend.channels, ""}
    assert max(first[""], first["x-politics"]) - trend.start_ms <= 60_000


def test_conversations_and_floods_are_told(told: tuple[int, dict[CrowdRecord, list[dict[str, Any]]]]) -> None:
    """The raid's texts are floods of many users; what is said of a window adds up."""
    _, records = told
    floods = [
        flood
        for record in records["conversations"]
        for flood in record["conversations"]
        if flood["flood"] and record["channel_id"] == "twitch-cozy"
    ]
    assert any("shift" in flood["representative_text"].lower() and flood["participants"] > 20 for flood in floods)
    for record in records["conversations"]:
        sizes = sum(conversation["size"] for conversation in record["conversations"])
        assert sizes + record["outside"] == record["looked_at"] <= record["messages"]
        assert (record["window_end"] - record["window_start"]).total_seconds() == 60


def test_every_channel_has_its_health(told: tuple[int, dict[CrowdRecord, list[dict[str, Any]]]]) -> None:
    """Scores are within bounds and the mean of their parts; the friendliest channel fares better than the rudest."""
    _, records = told
    latest = {record["channel_id"]: record for record in records["health"]}
    assert {channel.id for channel in load_scenario().channels} <= set(latest)
    for record in latest.values():
        weights = sum(part["weight"] for part in record["parts"])
        mean = sum(part["value"] * part["weight"] for part in record["parts"]) / weights
        assert record["score"] == pytest.approx(mean)
        assert 0 <= record["score"] <= 100
    assert latest["slack-launch"]["score"] > latest["x-politics"]["score"]
