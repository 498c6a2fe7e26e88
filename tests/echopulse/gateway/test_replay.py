"""A file as a stream."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from echopulse.gateway.dead_letters import DeadLetterProducer, now_ms
from echopulse.gateway.producer import EventProducer
from echopulse.gateway.replay import Closing, Progress, check_replay, replay
from schemas.avro import decode_dead_letter
from schemas.errors import EchoPulseError, UsageError
from schemas.social_event_pb2 import SocialEvent
from schemas.topics import DLQ, EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.echopulse.gateway.conftest import Record

PAST = 1_700_000_000_000


@pytest.fixture
def letters(bootstrap: str) -> Iterator[DeadLetterProducer]:
    """Yield a producer of dead letters."""
    with DeadLetterProducer(bootstrap) as producer:
        yield producer


@pytest.fixture
def producer(bootstrap: str, letters: DeadLetterProducer) -> Iterator[EventProducer]:
    """Yield a producer of events."""
    with EventProducer(bootstrap, letters) as events:
        yield events


def _lines(*times: int) -> bytes:
    rows = [
        {"id": f"e{row}", "ts": ts, "channel": f"c{row % 5}", "raw": {"text": "hi"}} for row, ts in enumerate(times)
    ]
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def _file(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "f.jsonl"
    path.write_bytes(content)
    return path


def test_times_are_moved_so_that_the_newest_plausible_one_is_now(
    tmp_path: Path,
    producer: EventProducer,
    letters: DeadLetterProducer,
    read_topic: Callable[[str, int], list[Record]],
) -> None:
    """An outlier is not the last event; all others move by one amount, and each partition gets its heartbeat."""
    path = _file(tmp_path, _lines(PAST, PAST + 1500, PAST + 700, 4_102_444_800_000, 5) + b"broken\n")
    before = now_ms()
    report = replay(path, producer, letters)
    assert (report.events, report.dead_letters) == (3, 3)
    assert before - PAST - 1500 <= report.shift_ms <= now_ms() - PAST - 1500
    assert (report.first_ts_ms, report.last_ts_ms) == (PAST + report.shift_ms, PAST + 1500 + report.shift_ms)
    assert report.aligned_end_ms is not None
    assert report.aligned_end_ms % 300_000 == 0
    events = [SocialEvent.FromString(record.value) for record in read_topic(EVENTS, 7)]
    times = {
        event.id: event.ts.ToMilliseconds() - report.shift_ms
        for event in events
        if event.metadata.get("kind") != "heartbeat"
    }
    assert times == {"e0": PAST, "e1": PAST + 1500, "e2": PAST + 700}
    heartbeats = [event for event in events if event.metadata.get("kind") == "heartbeat"]
    assert {event.ts.ToMilliseconds() for event in heartbeats} == {report.aligned_end_ms + 10_001}
    told = [decode_dead_letter(record.value) for record in read_topic(DLQ, 3)]
    assert {(letter.origin, letter.stage) for letter in told} == {
        (f"{path}:4", "time"),
        (f"{path}:5", "time"),
        (f"{path}:6", "parse"),
    }


def test_times_can_be_kept_and_the_end_left_open(
    tmp_path: Path,
    producer: EventProducer,
    letters: DeadLetterProducer,
    read_topic: Callable[[str, int], list[Record]],
) -> None:
    """No shift, no heartbeat; progress reaches the whole file."""
    seen: list[Progress] = []
    path = _file(tmp_path, _lines(PAST, PAST + 1))
    report = replay(path, producer, letters, keep_time=True, closing=None, rate=1000.0, on_progress=seen.append)
    assert (report.shift_ms, report.aligned_end_ms) == (0, None)
    assert {record.ts_ms for record in read_topic(EVENTS, 2)} == {PAST, PAST + 1}
    assert seen[-1] == Progress(2, 0, 1.0)


def test_room_is_kept_for_the_heartbeat(tmp_path: Path, producer: EventProducer, letters: DeadLetterProducer) -> None:
    """An event within the broker's hour ahead, but not with the closing heartbeat behind it, is a dead letter."""
    path = _file(tmp_path, _lines(now_ms(), now_ms() + 3_599_000))
    report = replay(path, producer, letters, keep_time=True)
    assert (report.events, report.dead_letters) == (1, 1)
    assert replay(path, producer, letters, keep_time=True, closing=None).events == 2


def test_a_loop_sends_new_ids_at_the_time_of_sending(
    tmp_path: Path,
    producer: EventProducer,
    letters: DeadLetterProducer,
    read_topic: Callable[[str, int], list[Record]],
) -> None:
    """Until it is interrupted, which ends it well."""
    before = now_ms()

    def stop_in_the_third_turn(progress: Progress) -> None:
        if progress.events > 4:
            raise KeyboardInterrupt

    report = replay(
        _file(tmp_path, _lines(PAST, PAST + 1)),
        producer,
        letters,
        loop=True,
        rate=500.0,
        on_progress=stop_in_the_third_turn,
    )
    assert (report.events, report.aligned_end_ms) == (6, None)
    events = [SocialEvent.FromString(record.value) for record in read_topic(EVENTS, 6)]
    assert {event.id for event in events} == {"e0", "e1", "e0~2", "e1~2", "e0~3", "e1~3"}
    assert all(before <= event.ts.ToMilliseconds() <= now_ms() for event in events)


def test_a_loop_over_nothing_is_told(tmp_path: Path, producer: EventProducer, letters: DeadLetterProducer) -> None:
    """It would turn for ever."""
    with pytest.raises(EchoPulseError, match="holds no event, so there is nothing to --loop"):
        replay(_file(tmp_path, b"broken\n"), producer, letters, loop=True)


def test_an_empty_file_sends_nothing(tmp_path: Path, producer: EventProducer, letters: DeadLetterProducer) -> None:
    """No event, no heartbeat."""
    report = replay(_file(tmp_path, b""), producer, letters)
    assert (report.events, report.dead_letters, report.last_ts_ms, report.aligned_end_ms) == (0, 0, None, None)


def test_standard_input_keeps_its_times(
    monkeypatch: pytest.MonkeyPatch, producer: EventProducer, letters: DeadLetterProducer
) -> None:
    """Its dead letters bear its name."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(_lines(PAST) + b"broken\n")))
    report = replay(Path("-"), producer, letters, keep_time=True)
    assert (report.events, report.dead_letters, report.first_ts_ms) == (1, 1, PAST)


def test_an_event_too_large_for_the_topic_is_counted_as_dead(
    tmp_path: Path, producer: EventProducer, letters: DeadLetterProducer
) -> None:
    """A megabyte goes through, five do not."""
    rows = [{"id": str(size), "ts": PAST, "channel": "c", "raw": "x" * (size << 20)} for size in (1, 5)]
    report = replay(_file(tmp_path, b"\n".join(json.dumps(row).encode() for row in rows)), producer, letters)
    assert (report.events, report.dead_letters) == (1, 1)


@pytest.mark.parametrize(
    ("path", "options", "record"),
    [
        ("-", {}, "the times of stdin cannot be moved: its last event is not known ahead (add --keep-time, or"),
        ("-", {"loop": True}, "stdin cannot be read again, so it cannot --loop (write it to a file first)"),
        ("f.jsonl", {"loop": True, "keep_time": True}, "--loop and --keep-time exclude each other"),
        ("f.jsonl", {"rate": 0.0}, "--rate 0 is not a number of events a second (leave it out for full speed)"),
        ("f.jsonl", {"rate": float("nan")}, "--rate nan is not a number of events a second"),
    ],
)
def test_choices_that_exclude_each_other_are_a_wrong_call(
    tmp_path: Path, path: str, options: dict[str, float | bool], record: str
) -> None:
    """Before anything is read or sent."""
    _file(tmp_path, b"")
    chosen = {"rate": None, "loop": False, "keep_time": False} | options
    with pytest.raises(UsageError) as raised:
        check_replay(Path(path) if path == "-" else tmp_path / path, **chosen)  # type: ignore[arg-type]
    assert str(raised.value).startswith(record)


def test_the_heartbeat_passes_the_slide_of_the_last_event() -> None:
    """Also where that stands on a boundary: its slide begins there."""
    closing = Closing(slide_ms=1000, delay_ms=50)
    assert closing.heartbeat_ms(999) == 6_051
    assert closing.heartbeat_ms(1000) == 7_051
