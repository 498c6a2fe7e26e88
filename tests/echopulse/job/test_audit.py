"""The books: balanced against a plain count, and read off real topics."""

from __future__ import annotations

import io
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import fastavro
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from echopulse.gateway.dead_letters import PART_BYTES, DeadLetterProducer, now_ms
from echopulse.gateway.producer import EventProducer
from echopulse.job.audit import Books, audit, balance, is_without_text, positions
from echopulse.job.topic_reader import Position
from schemas.arrow import EVENT
from schemas.avro import DeadLetter, decode_analysis, schema
from schemas.avro_columns import encode_analysis
from schemas.social_event_pb2 import SocialEvent
from schemas.topics import ANALYSIS, DLQ, EVENTS, SHADOW
from transforms.analysis import Analyser

if TYPE_CHECKING:
    from collections.abc import Callable

_KEYS = st.tuples(st.sampled_from("ab"), st.sampled_from("123"))
_ORIGINS = st.sampled_from([*(f"{EVENTS}/0/{offset}" for offset in range(7)), "chat.jsonl:3", "sim"])


def _books(keys: list[tuple[str, str]], results: list[tuple[str, str]], dead: list[str]) -> Books:
    events = pd.DataFrame(keys, columns=["channel_id", "event_id"], dtype=object)
    events["origin"] = [f"{EVENTS}/0/{offset}" for offset in range(len(keys))]
    return balance(events, pd.DataFrame(results, columns=["channel_id", "event_id"], dtype=object), dead)


def _counted(keys: list[tuple[str, str]], results: list[tuple[str, str]], dead: list[str]) -> Books:
    """Balance as a person with a pencil would: event by event."""
    wanted: Counter[tuple[str, str]] = Counter()
    letters = Counter(dead)
    repeats = wrong = 0
    for offset, key in enumerate(keys):
        if letters[f"{EVENTS}/0/{offset}"]:
            letters[f"{EVENTS}/0/{offset}"] -= 1
        elif wanted[key]:
            repeats += 1
        else:
            wanted[key] = 1
    gateway = sum(not origin.startswith(EVENTS) for origin in dead)
    wrong += sum(count for origin, count in letters.items() if origin.startswith(EVENTS))
    had = Counter(results)
    wrong += sum(abs(wanted[key] - had[key]) for key in wanted | had)
    return Books(len(keys) + gateway, len(results), len(dead), repeats, wrong)


@given(st.lists(_KEYS, max_size=6), st.lists(_KEYS, max_size=6), st.lists(_ORIGINS, max_size=5))
def test_balance_agrees_with_a_count_by_hand(
    keys: list[tuple[str, str]], results: list[tuple[str, str]], dead: list[str]
) -> None:
    """Lost, doubled, invented and dead-lettered twice: all are found, and found once."""
    books = _books(keys, results, dead)
    assert books == _counted(keys, results, dead)
    if not books.unaccounted:
        assert books.events_in == books.analysed + books.dlq + books.repeats


def test_all_outcomes_balance() -> None:
    """Two analysed, one of them sent again, one dead, one refused before Kafka."""
    books = _books([("a", "1"), ("a", "2"), ("a", "1"), ("", "")], [("a", "1"), ("a", "2")], [f"{EVENTS}/0/3", "f:1"])
    assert books == Books(events_in=5, analysed=2, dlq=2, repeats=1, unaccounted=0)


def test_a_dead_letter_and_a_result_of_one_event_is_one_too_many() -> None:
    """An event has one outcome."""
    assert _books([("a", "1")], [("a", "1")], [f"{EVENTS}/0/0"]).unaccounted == 1


def test_books_are_read_off_the_topics(bootstrap: str, write_topic: Callable[..., None]) -> None:
    """Heartbeats are no events, what lies before the start is not read, a letter in parts is one letter."""
    write_topic(ANALYSIS, [b"of another run"])
    write_topic(SHADOW, [b"of another run"])
    write_topic(DLQ, [b"of another run"])
    write_topic(EVENTS, [b"of another run"])
    start = positions(bootstrap)
    now = now_ms()
    with DeadLetterProducer(bootstrap) as letters, EventProducer(bootstrap, letters) as producer:
        producer.send(_events("1", "2", "2"))
        producer.heartbeat(now)
        producer.flush()
        letters.send([DeadLetter("validate", "too large", "chat.jsonl:7", "", now, b"x" * (PART_BYTES + 1))])
    write_topic(EVENTS, [b"\xff\xff"], partition=1)
    with DeadLetterProducer(bootstrap) as letters:
        letters.send([DeadLetter("decode", "unreadable", _last_origin(bootstrap, 1), "", now, b"\xff\xff")])
    models = {"sentiment": "abstained:de", "toxicity": "sha256:aa"}
    write_topic(ANALYSIS, [_result("1", models), _result("2", {})])
    write_topic(SHADOW, [b"one", b"two", b"three"])

    assert audit(bootstrap, start) == Books(
        events_in=5,
        analysed=2,
        dlq=2,
        repeats=1,
        unaccounted=0,
        abstained={"sentiment": {"de": 1}},
        shadow=3,
        without_text=1,
    )
    nothing = {name: Position(name, dict(position.offsets)) for name, position in positions(bootstrap).items()}
    assert audit(bootstrap, nothing) == Books(0, 0, 0, 0, 0)
    assert audit(bootstrap, start, start) == Books(0, 0, 0, 0, 0)  # what came behind where to stop does not count


@pytest.mark.parametrize(
    ("kind", "payload", "without"),
    [
        (None, b"{}", True),
        (None, b'{"body": "a field that nobody reads"}', True),
        ("message", b'{"text": "\\u200b"}', True),
        ("reaction", b'{"emoji": ""}', True),
        ("message", b'{"text": "hello"}', False),
        ("message", b'{"text": "Das ist ein sehr sch\\u00f6ner Tag, und ich freue mich"}', False),
        ("join", b"{}", False),
        ("own", b"{}", False),
    ],
)
def test_what_is_without_a_text(kind: str | None, payload: bytes, *, without: bool) -> None:
    """Of the kinds that carry one alone; a text in a language that no model knows is a text."""
    analyser = Analyser({})
    analyser.open()
    event = SocialEvent(id="1", source="test", channel_id="c", raw_payload=payload)
    if kind:
        event.metadata["kind"] = kind
    event.ts.FromMilliseconds(now_ms())
    times = pa.array([event.ts.ToMilliseconds()], pa.int64())
    rows = analyser.analyse(pa.array([event.SerializeToString()], pa.binary()), times)
    assert rows.column("stage").to_pylist() == [""]
    assert is_without_text(decode_analysis(encode_analysis(rows, times)[0].as_py())) == without


def _last_origin(bootstrap: str, partition: int) -> str:
    return f"{EVENTS}/{partition}/{positions(bootstrap)[EVENTS].offsets[partition] - 1}"


def _events(*names: str) -> pa.RecordBatch:
    row = {"source": "t", "channel_id": "c", "user_id": "u", "raw_payload": b"{}", "metadata": []}
    return pa.RecordBatch.from_pylist([{**row, "id": name, "ts": now_ms()} for name in names], schema=EVENT)


def _result(name: str, models: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    record = {
        "event_id": name,
        "sentiment": "neutral",
        "toxicity": 0.0,
        "entities": [],
        "ts": datetime.now(UTC),
        "channel_id": "c",
        "models": models,
    }
    fastavro.schemaless_writer(buffer, schema("analysis_result"), record)
    return buffer.getvalue()
