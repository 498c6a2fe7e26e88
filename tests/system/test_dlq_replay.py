"""Replays against a real broker: killed in the middle, overtaken, and read from a time on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Consumer, TopicPartition

from echopulse.dead_letters.history import read_history
from echopulse.dead_letters.letter import Letter, LetterId
from echopulse.dead_letters.listing import list_waiting
from echopulse.dead_letters.mending import Mended
from echopulse.dead_letters.reading import first_offsets, read_letter, span
from echopulse.dead_letters.replaying import replay_letters
from echopulse.dead_letters.selection import Selection
from echopulse.dead_letters.transactions import ReplayTransactions
from echopulse.gateway.dead_letters import DeadLetterProducer, now_ms
from echopulse.gateway.topics_admin import ensure_topics
from echopulse.job.topic_reader import Position, end_position, read_batches
from echopulse.stack import Stack, StackSettings
from echopulse.stack.kafka import Kafka
from schemas.avro import DeadLetter, LetterReplay
from schemas.errors import EchoPulseError
from schemas.social_event_pb2 import SocialEvent
from schemas.topics import DLQ_REPLAYS, EVENTS
from tests.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

_DEADLINE_S = 60
LETTERS = 20_000


@pytest.fixture(scope="module")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a broker with all topics."""
    broker, controller = free_ports(2)
    settings = StackSettings(
        home=tmp_path_factory.mktemp("stack"), kafka_port=broker, kafka_controller_port=controller, kafka_heap_mb=256
    )
    with Stack(settings, lambda _: None, services=[Kafka(settings)], jar_groups=()).bring_up() as stack:
        address = stack.addresses["kafka"]
        ensure_topics(address)
        yield address


def _letter(name: str, ts_ms: int) -> DeadLetter:
    event = SocialEvent(id=name, source="test", channel_id=f"c:{hash(name) % 7}", raw_payload=b'{"text": "fine"}')
    event.ts.FromMilliseconds(ts_ms)
    return DeadLetter("analyse", "it failed", f"{EVENTS}/0/{name}", name, ts_ms, event.SerializeToString())


def _write(bootstrap: str, letters: list[DeadLetter]) -> None:
    with DeadLetterProducer(bootstrap) as producer:
        producer.send(letters)


def _ids(bootstrap: str, *, committed: bool = True) -> Counter[str]:
    """Count the ids of all records of social.events, those of broken off transactions too if not `committed`."""
    stop = end_position(bootstrap, EVENTS)
    if committed:
        messages = [m for batch in read_batches(bootstrap, Position(EVENTS, {}), stop) for m in batch]
        return Counter(SocialEvent.FromString(m.value() or b"").id for m in messages)
    reader = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "all",
            "isolation.level": "read_uncommitted",
            "enable.partition.eof": True,
        }
    )
    reader.assign([TopicPartition(EVENTS, partition, 0) for partition in stop.offsets])
    seen: Counter[str] = Counter()
    ended, deadline = 0, time.monotonic() + _DEADLINE_S
    while ended < len(stop.offsets) and time.monotonic() < deadline:
        for message in reader.consume(10_000, timeout=0.5):
            if message.error():
                ended += 1
            else:
                seen[SocialEvent.FromString(message.value() or b"").id] += 1
    reader.close()
    assert ended == len(stop.offsets)
    return seen


def _replaying(bootstrap: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "echopulse.cli.main", "dlq", "replay", "--stage", "analyse", "--json"],
        env=os.environ | {"ECHOPULSE_KAFKA__BOOTSTRAP": bootstrap},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_a_replay_killed_in_the_middle_loses_and_doubles_nothing(bootstrap: str) -> None:
    """Killed three times, at different moments; the last one goes on where they were."""
    names = [f"killed-{number}" for number in range(LETTERS)]
    _write(bootstrap, [_letter(name, now_ms()) for name in names])
    killed = 0
    for _ in range(3):
        before = sum(end_position(bootstrap, DLQ_REPLAYS, committed=False).offsets.values())
        process = _replaying(bootstrap)
        try:
            deadline = time.monotonic() + _DEADLINE_S
            # Its first batches are on their way: it is killed inside of one or between two.
            while sum(end_position(bootstrap, DLQ_REPLAYS, committed=False).offsets.values()) - before < 1_200:
                assert time.monotonic() < deadline
                assert process.poll() is None, "the replay was over before it was killed"
        finally:
            process.send_signal(signal.SIGKILL)
            ended = process.wait(_DEADLINE_S)
        killed += ended == -signal.SIGKILL
    assert killed == 3
    outcome = replay_letters(bootstrap, Selection(stage="analyse"), most_attempts=3)
    assert 0 < outcome.replayed < LETTERS - 3_000
    assert outcome.replayed + outcome.done_before == LETTERS
    assert _ids(bootstrap) == Counter(names)
    assert len(read_history(bootstrap).letters) == LETTERS


def test_what_a_broken_off_transaction_wrote_is_not_read(bootstrap: str) -> None:
    """The event is on the topic twice, and committed once."""
    _write(bootstrap, [_letter("broken-off", now_ms())])
    listed = list_waiting(bootstrap, Selection(), limit=1)
    letter = listed.newest[0].letter

    def failing(event: Mended, place: str) -> LetterReplay:
        if place:
            raise EchoPulseError("killed here")
        return LetterReplay(str(event.letter.id), str(event.letter.id), 1, "sent", place, 0)

    event = Mended(letter, "c:1", letter.content.original, letter.content.ts)
    with closing(ReplayTransactions(bootstrap)) as transactions, pytest.raises(EchoPulseError, match="killed here"):
        transactions.write([event], failing, [])
    assert _ids(bootstrap)["broken-off"] == 0
    assert replay_letters(bootstrap, Selection(), most_attempts=3).replayed == 1
    assert _ids(bootstrap)["broken-off"] == 1
    assert _ids(bootstrap, committed=False)["broken-off"] == 2


def test_a_later_replay_takes_the_place_of_one_that_runs(bootstrap: str) -> None:
    """The earlier one writes no more, and says why."""
    content = _letter("overtaken", now_ms())
    event = Mended(Letter(LetterId(0, 1_000_000), content), "c:1", content.original, content.ts)

    def noted(one: Mended, place: str) -> LetterReplay:
        return LetterReplay(str(one.letter.id), str(one.letter.id), 1, "sent", place, 0)

    with closing(ReplayTransactions(bootstrap)) as earlier, closing(ReplayTransactions(bootstrap)) as later:
        with pytest.raises(EchoPulseError) as raised:
            earlier.write([event], noted, [])
        assert str(raised.value) == "another replay has begun and taken this one's place (let that one finish)"
        later.write([event], noted, [])
    assert _ids(bootstrap)["overtaken"] == 1


def test_letters_are_read_from_a_time_on(bootstrap: str) -> None:
    """Without reading what lies before it."""
    now = now_ms()
    hour = 3_600_000
    old = replace(_letter("old", now - hour), stage="time")
    new = replace(_letter("new", now), stage="time")
    _write(bootstrap, [old, new])
    begin, end = span(bootstrap, now)
    assert begin.topic == end.topic
    assert sum(end.offsets.values()) - sum(begin.offsets.values()) == 1
    recent = list_waiting(bootstrap, Selection(stage="time", since_ms=now), limit=10)
    assert [row.letter.content.event_id for row in recent.newest] == ["new"]
    both = list_waiting(bootstrap, Selection(stage="time", since_ms=now - 2 * hour), limit=10)
    assert [row.letter.content.event_id for row in both.newest] == ["new", "old"]
    begin, end = span(bootstrap, now + hour)
    assert begin == end
    assert first_offsets(bootstrap) == {0: 0}
    with pytest.raises(EchoPulseError, match=r"no dead letter social\.dlq-5-0"):
        read_letter(bootstrap, LetterId(5, 0))
