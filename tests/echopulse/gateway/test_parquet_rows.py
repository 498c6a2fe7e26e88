"""Parquet as rows of events."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from echopulse.gateway.event_time import TimeRange
from echopulse.gateway.parquet_rows import newest_in_parquet, read_parquet
from echopulse.gateway.source_file import SourceFile, source_file
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path

    from echopulse.gateway.rows import Rows

NOW = 1_800_000_000_000
MOMENT = datetime.fromtimestamp(NOW / 1000, UTC)


def _file(tmp_path: Path, **columns: pa.Array) -> SourceFile:
    defaults = {"id": pa.array(["a"]), "ts": pa.array([NOW]), "channel": pa.array(["c"]), "raw": pa.array(["{}"])}
    pq.write_table(pa.table(defaults | columns), tmp_path / "f.parquet")
    return source_file(tmp_path / "f.parquet")


def _only(file: SourceFile, mapping: dict[str, str] | None = None) -> Rows:
    (rows,) = read_parquet(file, mapping or {})
    return rows


def _bad_text() -> pa.StringArray:
    return pa.StringArray.from_buffers(1, pa.array([0, 3], pa.int32()).buffers()[1], pa.py_buffer(b"x\xffy"))


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([MOMENT], pa.timestamp("ms", "UTC")), NOW),
        (pa.array([MOMENT], pa.timestamp("ns", "Europe/Berlin")), NOW),
        (pa.array([MOMENT], pa.timestamp("us")), NOW),
        (pa.array([NOW], pa.uint64()), NOW),
        (pa.array([NOW + 0.5]), NOW),
        (pa.array(["2027-01-15T08:00:00Z"]), NOW),
        (pa.array(["2027-01-15T08:00:00Z"]).dictionary_encode(), NOW),
        (pa.array([date(2027, 1, 15)]), NOW - 8 * 3_600_000),
        (pa.array([None], pa.timestamp("us")), None),
    ],
)
def test_each_type_of_time_is_read(tmp_path: Path, column: pa.Array, expected: int | None) -> None:
    """In ms UTC, and as the newest one."""
    file = _file(tmp_path, ts=column)
    assert _only(file).columns.column("ts").to_pylist() == [expected]
    assert newest_in_parquet(file, {}, TimeRange.around(NOW)) == expected


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array(["text"]), b"text"),
        (pa.array(["text"], pa.large_string()), b"text"),
        (pa.array([b"\xff\x00"]), b"\xff\x00"),
        (pa.array([{"at": MOMENT, "text": "é"}]), '{"at":"2027-01-15T08:00:00Z","text":"é"}'.encode()),
        (pa.array([[1, 2]]), b"[1,2]"),
        (pa.array([None], pa.string()), None),
    ],
)
def test_each_type_of_payload_is_read(tmp_path: Path, column: pa.Array, expected: bytes | None) -> None:
    """Text and bytes as they are, structures as JSON."""
    assert _only(_file(tmp_path, raw=column)).columns.column("raw").to_pylist() == [expected]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([[("k", "v")]], pa.map_(pa.string(), pa.string())),
        pa.array([[("k", "v"), ("n", None)]], pa.map_(pa.string(), pa.string())),
        pa.array([[{"key": "k", "value": "v"}]]),
        pa.array([[["k", "v"]]]),
        pa.array([{"k": "v", "n": None}]),
        pa.array(['{"k": "v"}']),
        pa.array(['{"k": "v"}']).dictionary_encode(),
    ],
)
def test_each_type_of_metadata_is_read(tmp_path: Path, column: pa.Array) -> None:
    """Map, pairs, structure, JSON text; null values are left out."""
    rows = _only(_file(tmp_path, meta=column))
    assert rows.columns.column("meta").to_pylist() == [[("k", "v")]]
    assert not rows.faults


def test_missing_metadata_is_empty(tmp_path: Path) -> None:
    """Absent as a column, and null in one."""
    assert _only(_file(tmp_path)).columns.column("meta").to_pylist() == [[]]
    null = pa.array([None], pa.map_(pa.string(), pa.string()))
    assert _only(_file(tmp_path, meta=null)).columns.column("meta").to_pylist() == [[]]


def test_whole_numbers_are_ids(tmp_path: Path) -> None:
    """Under another column's name, too."""
    rows = _only(_file(tmp_path, message_id=pa.array([2**60])), {"id": "message_id"})
    assert rows.columns.column("id").to_pylist() == [str(2**60)]


def test_text_that_is_not_utf8_is_a_fault_of_its_row(tmp_path: Path) -> None:
    """Parquet's readers do not check it; the original is told with the bytes escaped."""
    user = pa.concat_arrays([pa.array(["good"]), _bad_text()])
    two = {
        name: pa.array(values) for name, values in {"id": ["a", "b"], "channel": ["c"] * 2, "raw": ["{}"] * 2}.items()
    }
    rows = _only(_file(tmp_path, **two, ts=pa.array([NOW] * 2), user=user))
    assert rows.columns.column("user").to_pylist() == ["good", None]
    assert rows.faults == {1: ("parse", "user is not UTF-8 text: surrogates not allowed at character 1")}
    original: dict[str, Any] = json.loads(rows.original(1))
    assert original == {"id": "b", "ts": NOW, "channel": "c", "user": "x\\xffy", "raw": "{}"}
    assert list(rows.numbers) == [1, 2]


def test_a_metadata_value_that_is_not_utf8_is_a_fault_of_its_row(tmp_path: Path) -> None:
    """The rest of the batch is read."""
    column = pa.MapArray.from_arrays(pa.array([0, 1], pa.int32()), pa.array(["k"]), _bad_text())
    rows = _only(_file(tmp_path, meta=column))
    assert rows.faults[0][0] == "parse"
    assert rows.columns.column("meta").to_pylist() == [[]]
    assert b"UTF-8" in rows.original(0)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"id": pa.array([1.5])}, "column 'id' is double, not text or whole numbers (--map id=COLUMN names another)"),
        (
            {"ts": pa.array([[1]])},
            "column 'ts' is list<element: int64>, not a timestamp, a number of milliseconds or ISO",
        ),
        ({"raw": pa.array([1])}, "column 'raw' is int64, not text, bytes or a structure"),
        ({"meta": pa.array([1])}, "column 'meta' is int64, not a map, a list of pairs, a structure or JSON text"),
    ],
)
def test_a_column_of_another_type_is_told(tmp_path: Path, columns: dict[str, pa.Array], message: str) -> None:
    """Before anything is sent."""
    file = _file(tmp_path, **columns)
    with pytest.raises(EchoPulseError) as raised:
        list(read_parquet(file, {}))
    assert message in str(raised.value)


def test_what_is_no_parquet_is_told(tmp_path: Path) -> None:
    """A wrong file, and one that breaks off."""
    path = tmp_path / "f.parquet"
    path.write_bytes(b"id,ts\n" * 10)
    with pytest.raises(EchoPulseError, match="cannot be read as Parquet"):
        list(read_parquet(source_file(path), {}))
    whole = _file(tmp_path, raw=pa.array(["{}"])).path.read_bytes()
    path.write_bytes(whole[:4] + bytes(60) + whole[64:])
    with pytest.raises(EchoPulseError, match="cannot be read as Parquet"):
        list(read_parquet(source_file(path), {}))


def test_large_files_come_in_numbered_batches(tmp_path: Path) -> None:
    """Row numbers go on from batch to batch."""
    count = 20_000
    columns = {name: pa.array([str(row) for row in range(count)]) for name in ("id", "channel", "raw")}
    file = _file(tmp_path, **columns, ts=pa.array([NOW] * count))
    batches = list(read_parquet(file, {}))
    assert len(batches) > 1
    assert [number for batch in batches for number in batch.numbers] == list(range(1, count + 1))
    assert file.position == file.size
