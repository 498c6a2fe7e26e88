"""Bad input beside good: a dead letter each with stage, reason, origin and bytes; the rest unharmed, no restart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
import pytest
from confluent_kafka import KafkaError, Message, Producer

from echopulse.gateway.event_time import iso
from echopulse.gateway.producer import EventProducer
from echopulse.gateway.replay import Closing
from echopulse.job.audit import audit, positions
from echopulse.job.settle import settle
from schemas.avro import decode_analysis
from schemas.social_event_pb2 import SocialEvent
from schemas.topics import EVENTS, MAX_MESSAGE_BYTES
from tests.system.topics_read import dead_letters, results

if TYPE_CHECKING:
    from pathlib import Path

    from tests.system.signals.conftest import Signals

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

MEGABYTE = b"lovely words " * 80_000
YEAR_2100_MS = 4_102_444_800_000
#: In UTF-8 a surrogate has no place; this is what one would look like.
LONE_SURROGATE = b"\xed\xa0\x80"


@dataclass(frozen=True)
class Poison:
    """One bad record or line, the stage that must refuse it, and a part of the reason."""

    content: bytes
    stage: str
    reason: str


def _line(name: str, time: str, **change: object) -> bytes:
    """Return a line of a replay file; what is set to None is left out."""
    document = {"id": name, "ts": time, "channel": "poisoned:file", "user": "poisoned:u", "raw": '{"text": "fine"}'}
    return orjson.dumps({key: value for key, value in (document | change).items() if value is not None})


def test_a_file_with_bad_lines(signals: Signals, tmp_path: Path) -> None:
    """The gateway names the line, the job the record; every good line is analysed."""
    time = iso(signals.timeline.take(5) + 60_000)
    poison = [
        Poison(b'{"id": "cut", "ts": ', "parse", "not JSON"),
        Poison(_line("nowhere", time, channel=None), "validate", "channel is missing"),
        Poison(_line("past", "1970-01-01T00:00:00Z"), "time", "1970-01-01"),
        Poison(_line("future", "2100-01-01T00:00:00Z"), "time", "2100-01-01"),
        Poison(_line("bytes", time).replace(b"fine", b"\xff\xfe"), "parse", "not JSON"),
        Poison(_line("escaped", time).replace(b"poisoned:u", b"\\ud800"), "parse", "not JSON"),
        Poison(_line("surrogate", time).replace(b"poisoned:u", LONE_SURROGATE), "parse", "not JSON"),
        Poison(b"[1, 2]", "parse", "not a JSON object"),
        Poison(b"\x00\xff\x00", "parse", "not JSON"),
    ]
    inside = {
        "plain": Poison(b"hello", "extract", "payload is not JSON"),
        "payload-surrogate": Poison(b'{"text": "\\ud800"}', "extract", "surrogate"),
        "number": Poison(b"17", "extract", "not an object"),
    }
    good = [_line(f"good-{number}", time) for number in range(20)]
    good.append(_line("long", time, raw=orjson.dumps({"text": MEGABYTE.decode()}).decode()))
    lines = [each for pair in zip(good, [bad.content for bad in poison], strict=False) for each in pair]
    lines += [_line(name, time, raw=bad.content.decode()) for name, bad in inside.items()] + good[len(poison) :]
    path = tmp_path / "chat.jsonl"
    path.write_bytes(b"\n".join(lines))
    restarts = signals.running.cluster.restarts(signals.running.job_id)
    start = positions(signals.bootstrap)
    report = signals.replay(path)
    bad_count = len(poison) + len(inside)
    assert (report.events_in, report.dlq, report.analysed) == (len(lines), bad_count, len(good))
    assert (report.unaccounted, report.restarts) == (0, restarts)
    letters = dead_letters(signals.bootstrap, start)
    for bad in poison:
        letter = letters.pop(f"{path}:{lines.index(bad.content) + 1}")
        assert (letter.stage, letter.original) == (bad.stage, bad.content)
        assert bad.reason in letter.reason
    for origin, letter in letters.items():
        bad = inside.pop(letter.event_id)
        assert origin.startswith(f"{EVENTS}/")
        assert letter.stage == bad.stage
        assert bad.reason in letter.reason
        assert SocialEvent.FromString(letter.original).raw_payload == bad.content
    assert inside == {}
    found = {decode_analysis(message.value() or b"")["event_id"] for message in results(signals.bootstrap, start)}
    assert found == {f"good-{number}" for number in range(20)} | {"long"}


def _event(name: str, time_ms: int, *, channel: str = "poisoned:kafka", raw: bytes = b'{"text": "fine"}') -> bytes:
    event = SocialEvent(id=name, source="test", channel_id=channel, user_id="poisoned:u", raw_payload=raw)
    event.ts.FromMilliseconds(time_ms)
    return event.SerializeToString()


def test_bad_records_on_kafka(signals: Signals) -> None:
    """What another producer may write past the gateway is refused in the job, next to good records of one batch."""
    begin = signals.timeline.take(5)
    time = begin + 60_000
    user = b"\x2a"  # the tag of field 5, a string
    poison = [
        Poison(_event("cut", time)[:-5], "decode", "unexpected EOF"),
        Poison(b"\xff\x00garbage", "decode", "wire type"),
        Poison(_event("bytes", time) + user + b"\x02\xff\xfe", "decode", "UTF-8"),
        Poison(_event("surrogate", time) + user + b"\x03" + LONE_SURROGATE, "decode", "UTF-8"),
        Poison(b"", "validate", "id is empty"),
        Poison(_event("nowhere", time, channel=""), "validate", "channel_id is empty"),
        Poison(_event("past", 0), "time", "1970-01-01"),
        Poison(_event("future", YEAR_2100_MS), "time", "2100-01-01"),
        Poison(_event("apart", time + 1), "time", "is not the record's time"),
        Poison(_event("plain", time, raw=b"hello"), "extract", "payload is not JSON"),
        Poison(_event("list", time, raw=b"[1]"), "extract", "not an object"),
        Poison(_event("empty", time, raw=b""), "extract", "payload is not JSON"),
        Poison(_event("payload", time, raw=b'{"text": "\xff\xfe"}'), "extract", "UTF-8"),
        Poison(_event("escaped", time, raw=b'{"text": "\\ud800"}'), "extract", "surrogate"),
        Poison(_event("raw", time, raw=b'{"text": "' + LONE_SURROGATE + b'"}'), "extract", "UTF-8"),
        Poison(_event("long-cut", time, raw=b'{"text": "' + MEGABYTE)[:-1], "decode", "unexpected EOF"),
    ]
    restarts = signals.running.cluster.restarts(signals.running.job_id)
    start = positions(signals.bootstrap)
    origins: dict[str, Poison | None] = {}
    refused: list[KafkaError | None] = []
    producer = Producer(
        {
            "bootstrap.servers": signals.bootstrap,
            "linger.ms": 200,
            "acks": "all",
            "message.max.bytes": MAX_MESSAGE_BYTES,
        }
    )

    def produce(value: bytes | None, bad: Poison | None = None) -> None:
        def written(error: KafkaError | None, message: Message) -> None:
            assert error is None
            origins[f"{EVENTS}/{message.partition()}/{message.offset()}"] = bad

        producer.produce(EVENTS, value, "poisoned:kafka", timestamp=time, on_delivery=written)

    for number, bad in enumerate(poison):
        produce(_event(f"good-{number}", time))
        produce(bad.content, bad)
    produce(_event("long", time, raw=orjson.dumps({"text": MEGABYTE.decode()})))
    tombstone = Poison(b"", "decode", "the record has no value")
    produce(None, tombstone)
    assert producer.flush(60) == 0
    for unheard_of in (1, YEAR_2100_MS):
        value = _event("refused", unheard_of)
        producer.produce(EVENTS, value, timestamp=unheard_of, on_delivery=lambda error, _: refused.append(error))
    assert producer.flush(60) == 0
    assert [error.code() for error in refused if error] == [KafkaError.INVALID_RECORD] * 2
    with EventProducer(signals.bootstrap) as events:
        events.heartbeat(Closing().heartbeat_ms(time))
    settle(signals.running.cluster, signals.running.job_id, signals.bootstrap, Closing().due_ms(time))

    books = audit(signals.bootstrap, start)
    assert (books.dlq, books.analysed, books.unaccounted) == (len(poison) + 1, len(poison) + 1, 0)
    letters = dead_letters(signals.bootstrap, start)
    assert set(letters) == {origin for origin, bad in origins.items() if bad}
    for origin, letter in letters.items():
        expected = origins[origin]
        assert expected is not None
        assert (letter.stage, letter.original) == (expected.stage, expected.content)
        assert expected.reason in letter.reason
    found = {decode_analysis(message.value() or b"")["event_id"] for message in results(signals.bootstrap, start)}
    assert found == {f"good-{number}" for number in range(len(poison))} | {"long"}
    assert signals.running.cluster.restarts(signals.running.job_id) == restarts
