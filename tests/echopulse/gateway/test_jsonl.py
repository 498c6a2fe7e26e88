"""JSONL against a naive reader."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from echopulse.gateway import jsonl
from echopulse.gateway.event_time import TimeRange, iso
from echopulse.gateway.jsonl import newest_in_jsonl, read_jsonl
from echopulse.gateway.source_file import SourceFile, source_file

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from echopulse.gateway.rows import Faults

NOW = 1_800_000_000_000
LIMITS = TimeRange.around(NOW)

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_ts = st.integers(NOW - 10**9, NOW)
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=6,
)
_event = st.fixed_dictionaries(
    {"id": _text, "ts": _ts | _ts.map(iso), "channel": _text, "raw": _text | st.dictionaries(_text, _json, max_size=3)},
    optional={"source": _text, "user": _text, "meta": st.dictionaries(_text, _text, max_size=3), "more": _json},
)
_junk = st.sampled_from(
    [b"", b"  ", b"null", b"[]", b'{"id": ', b"{} {}", b'{"id":"\\ud800"}', b'{"id":"\xff"}', b"\x00"]
)


def _file(content: bytes, tmp_path: Path) -> SourceFile:
    (tmp_path / "f.jsonl").write_bytes(content)
    return source_file(tmp_path / "f.jsonl")


def _read(file: SourceFile, mapping: dict[str, str] | None = None) -> tuple[list[dict[str, Any]], list[int], Faults]:
    rows: list[dict[str, Any]] = []
    numbers: list[int] = []
    faults: Faults = {}
    for batch in read_jsonl(file, mapping or {}):
        faults |= {len(rows) + position: fault for position, fault in batch.faults.items()}
        rows += batch.columns.to_pylist()
        numbers += batch.numbers
    return rows, numbers, faults


def _naive(document: dict[str, Any]) -> dict[str, Any]:
    """Read one event with the standard library alone."""
    raw, ts = document["raw"], document["ts"]
    return {
        "id": document["id"],
        "ts": ts if isinstance(ts, int) else _ms(ts),
        "source": document.get("source"),
        "channel": document["channel"],
        "user": document.get("user"),
        "raw": raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False, separators=(",", ":")),
        "meta": document.get("meta", {}),
    }


def _ms(text: str) -> int:
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


@given(st.lists(_event | _junk, max_size=30), st.booleans())
def test_lines_are_read_as_by_a_naive_reader(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[dict[str, Any] | bytes],
    escaped: bool,  # noqa: FBT001 - hypothesis draws it
) -> None:
    """Any Unicode comes through, junk is isolated, and every line but a blank one is a row with its number."""
    written = [line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=escaped).encode() for line in lines]
    rows, numbers, faults = _read(_file(b"\n".join(written), tmp_path_factory.mktemp("jsonl")))
    assert numbers == [number for number, line in enumerate(written, 1) if line.strip()]
    for position, (row, number) in enumerate(zip(rows, numbers, strict=True)):
        line = lines[number - 1]
        if isinstance(line, bytes):
            assert faults[position][0] == "parse"
        else:
            got = row | {"raw": row["raw"].decode(), "meta": dict(row["meta"])}
            assert got == _naive(line)
            assert position not in faults


def test_original_bytes_are_at_hand_for_each_row(tmp_path: Path) -> None:
    """Also behind blank lines."""
    file = _file(b'{"id":"a"}\n\n  \nnot json\r\n', tmp_path)
    batch = next(read_jsonl(file, {}))
    assert [batch.original(row) for row in range(2)] == [b'{"id":"a"}', b"not json\r"]
    assert list(batch.numbers) == [1, 4]
    assert list(batch.faults) == [1]


def test_keys_can_be_mapped(tmp_path: Path) -> None:
    """The mapping is from field to key."""
    rows, _, _ = _read(
        _file(b'{"message_id":"a","room":"r","ts":1}', tmp_path), {"id": "message_id", "channel": "room"}
    )
    assert (rows[0]["id"], rows[0]["channel"], rows[0]["ts"]) == ("a", "r", 1)


def test_a_line_beyond_the_limit_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where its beginning is JSON."""
    monkeypatch.setattr(jsonl, "MAX_LINE_BYTES", 10)
    _, _, faults = _read(_file(b'{"id":"a"}\n{}', tmp_path))
    assert faults == {0: ("parse", "the line is longer than 0 MiB; its beginning is kept here")}


@given(st.lists(_event | _junk, max_size=20), st.lists(st.integers(0, 4 * NOW), max_size=4))
def test_the_newest_time_is_that_of_all_readable_lines(
    tmp_path_factory: pytest.TempPathFactory, lines: list[dict[str, Any] | bytes], outliers: list[int]
) -> None:
    """The pattern that looks for it finds what a parse of each line finds, outliers aside."""
    documents: list[dict[str, Any] | bytes] = [*lines, *({"ts": outlier, "raw": {"ts": NOW}} for outlier in outliers)]
    written = [line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False).encode() for line in documents]
    times = [row["ts"] for row in _read(_file(b"\n".join(written), tmp_path_factory.mktemp("newest")))[0]]
    inside = [time for time in times if time is not None and LIMITS.oldest_ms <= time <= LIMITS.newest_ms]
    found = newest_in_jsonl(_file(b"\n".join(written), tmp_path_factory.mktemp("newest")), {}, LIMITS)
    assert found == max(inside, default=None)


def test_a_time_within_the_payload_is_not_the_events(tmp_path: Path) -> None:
    """Nested keys and text that looks like a key are passed over."""
    newer = iso(NOW)
    lines = [
        json.dumps({"ts": NOW - 5, "raw": {"ts": NOW}}),
        json.dumps({"raw": {"ts": newer}, "meta": {"ts": newer}}),
        json.dumps({"ts": NOW - 7, "raw": json.dumps({"ts": NOW})}),
    ]
    assert newest_in_jsonl(_file("\n".join(lines).encode(), tmp_path), {}, LIMITS) == NOW - 5
    assert newest_in_jsonl(_file(b'{"at":"%b"}' % newer.encode(), tmp_path), {"ts": "at"}, LIMITS) == NOW
