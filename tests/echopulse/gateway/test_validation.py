"""The judgement before Kafka, over a corpus of poison."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa

from echopulse.gateway.columns import columns_of
from echopulse.gateway.event_time import TimeRange
from echopulse.gateway.jsonl import read_jsonl
from echopulse.gateway.rows import Rows
from echopulse.gateway.source_file import source_file
from echopulse.gateway.validation import judge
from schemas.arrow import EVENT

NOW = 1_800_000_000_000
LIMITS = TimeRange.around(NOW)
GOLDEN = Path(__file__).parent / "golden" / "poison.txt"


def _line(**fields: object) -> bytes:
    good = {
        "id": "a",
        "ts": NOW,
        "source": "sim",
        "channel": "c",
        "user": "u",
        "raw": {"text": "hi"},
        "meta": {"kind": "message"},
    }
    return json.dumps({name: value for name, value in (good | fields).items() if value != "absent"}).encode()


#: What a hostile or broken source may send, between good lines.
POISON = [
    _line(),
    b'{"id": "cut off',
    b"\x00\xff\xfe",
    b"null",
    b"[1, 2]",
    b'{"id":"surrogate","ts":1800000000000,"channel":"c","raw":"\\ud800"}',
    b'{"id":"bytes","ts":1800000000000,"channel":"c","raw":"\xc3("}',
    b'{"id":"nan","ts":NaN,"channel":"c","raw":"x"}',
    b"[" * 2000 + b"]" * 2000,
    _line(id="absent"),
    _line(id=""),
    _line(channel="absent"),
    _line(channel=None),
    _line(ts="absent"),
    _line(ts="yesterday"),
    _line(ts=True),
    _line(ts="1970-01-01T00:00:00Z"),
    _line(ts="2100-01-01T00:00:00Z"),
    _line(ts=NOW // 1000),
    _line(ts=2**70),
    _line(id=["a"]),
    _line(user={"name": "u"}),
    _line(meta="kind=message"),
    _line(meta={"kind": {"deep": 1}}),
    _line(raw="not JSON: the job judges that"),
    _line(raw={"text": "x" * (1 << 20)}),
    _line(id=7, user="absent", source="absent", raw="absent", meta=None),
    _line(),
]


def test_the_poison_corpus_is_judged_as_written_down(tmp_path: Path) -> None:
    """Each bad line is a dead letter with stage, reason, line and bytes; the good ones are unharmed."""
    path = tmp_path / "poison.jsonl"
    path.write_bytes(b"\n".join(POISON))
    judged = [judge(rows, "poison.jsonl", LIMITS) for rows in read_jsonl(source_file(path), {})]
    letters = [letter for batch in judged for letter in batch.letters]
    events = pa.Table.from_batches([batch.events for batch in judged], EVENT)
    told = [f"{letter.origin} [{letter.stage}] {letter.event_id or '-'}: {letter.reason}" for letter in letters]
    assert "\n".join(told) + "\n" == GOLDEN.read_text(encoding="utf-8")
    bad = [int(letter.origin.rpartition(":")[2]) for letter in letters]
    assert [letter.original for letter in letters] == [POISON[line - 1] for line in bad]
    good = [line for line in range(1, len(POISON) + 1) if line not in bad]
    assert good == [1, 25, 26, 27, 28]
    assert events.column("id").to_pylist() == ["a", "a", "a", "7", "a"]


def _rows(*times: int) -> Rows:
    count = len(times)
    values = [
        [str(row) for row in range(count)],
        times,
        [""] * count,
        ["c"] * count,
        [None] * count,
        [None] * count,
        [None] * count,
    ]
    return Rows(columns_of(values, {}), range(1, count + 1), lambda row: b"%d" % row, {})


def test_times_are_moved_and_held_against_the_limits_before_and_after() -> None:
    """What is plausible as written may not be so as moved."""
    judged = judge(_rows(NOW - 100, 0, LIMITS.oldest_ms + 50), "f", LIMITS, -100)
    assert [moment.timestamp() * 1000 for moment in judged.events.column("ts").to_pylist()] == [NOW - 200]
    assert [(letter.origin, letter.stage) for letter in judged.letters] == [("f:2", "time"), ("f:3", "time")]
    assert judged.letters[0].reason.startswith("ts 1970-01-01T00:00:00.000Z is before ")
    assert judged.letters[1].reason.endswith("after the file's times were moved by -100 ms")


def test_missing_fields_that_may_be_missing_get_their_default() -> None:
    """The source is the way in, user, payload and metadata are empty."""
    (event,) = judge(_rows(NOW), "f", LIMITS).events.to_pylist()
    assert (event["source"], event["user_id"], event["raw_payload"], event["metadata"]) == ("replay", "", b"", [])


def test_an_empty_batch_is_no_trouble() -> None:
    """No events, no letters."""
    judged = judge(_rows(), "f", LIMITS, 5)
    assert (judged.events.num_rows, judged.letters) == (0, [])
