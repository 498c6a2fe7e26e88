"""CSV as rows of events."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echopulse.gateway.csv_rows import newest_in_csv, read_csv
from echopulse.gateway.event_time import TimeRange
from echopulse.gateway.source_file import SourceFile, source_file
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path

    from echopulse.gateway.rows import Rows

NOW = 1_800_000_000_000
HEADER = b"id,ts,channel,raw\n"

_cell = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n"), max_size=12)


def _file(content: bytes, tmp_path: Path) -> SourceFile:
    (tmp_path / "f.csv").write_bytes(content)
    return source_file(tmp_path / "f.csv")


def _only(content: bytes, tmp_path: Path, mapping: dict[str, str] | None = None) -> Rows:
    (rows,) = read_csv(_file(content, tmp_path), mapping or {})
    return rows


@given(st.lists(st.tuples(_cell, _cell, _cell), min_size=1, max_size=20))
def test_cells_are_read_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, str, str]]
) -> None:
    """Quotes, commas and newlines within a cell come through; an empty cell is missing."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("id", "ts", "channel", "raw"))
    writer.writerows((one, NOW, two, three) for one, two, three in cells)
    rows = _only(text.getvalue().encode(), tmp_path_factory.mktemp("csv"))
    assert not rows.faults
    assert [(row["id"], row["channel"], row["raw"]) for row in rows.columns.to_pylist()] == [
        (one or None, two or None, three.encode() or None) for one, two, three in cells
    ]
    assert b"".join(rows.original(row) for row in range(len(cells))) == text.getvalue().encode().partition(b"\n")[2]


def test_bad_rows_are_isolated_with_line_and_bytes(tmp_path: Path) -> None:
    """Too few cells, a stray quote, an unclosed one, bytes that are not UTF-8: the neighbours are unharmed."""
    content = HEADER + b'1,5,c,"a\nb"\n2,5\n3,5,c,"x"y\n4,5,\xff,z\n\n5,5,c,"unclosed\n6,5,c,last'
    rows = _only(content, tmp_path)
    ids = rows.columns.column("id").to_pylist()
    assert [ids[row] for row in range(len(ids)) if row not in rows.faults] == ["1", "6"]
    assert {rows.numbers[row]: (stage, rows.original(row)) for row, (stage, _) in rows.faults.items()} == {
        4: ("parse", b"2,5\n"),
        5: ("parse", b'3,5,c,"x"y\n'),
        6: ("parse", b"4,5,\xff,z\n"),
        8: ("parse", b'5,5,c,"unclosed\n'),
    }
    reasons = [reason for _, reason in rows.faults.values()]
    assert "2 cells where the header has 4" in reasons
    assert "channel is not UTF-8 text: surrogates not allowed at character 0" in reasons


def test_metadata_is_json_in_a_cell_and_columns_can_be_mapped(tmp_path: Path) -> None:
    """A cell that is not JSON spoils its own row."""
    content = b'n,at,room,text,meta\n1,2027-01-15T08:00:00Z,c,t,"{""kind"":""message""}"\n2,1800000000000.0,c,t,kind\n'
    rows = _only(content, tmp_path, {"id": "n", "ts": "at", "channel": "room", "raw": "text"})
    read: list[dict[str, Any]] = rows.columns.to_pylist()
    assert [(row["id"], row["ts"], row["meta"]) for row in read] == [("1", NOW, [("kind", "message")]), ("2", NOW, [])]
    assert list(rows.faults) == [1]
    assert rows.columns.column("source").null_count == 2


def test_the_newest_time_ignores_outliers_and_broken_rows(tmp_path: Path) -> None:
    """Only what is plausible counts."""
    content = HEADER + b"1,%d,c,r\n2,1,c,r\n3,%d,c,r\n4\n5,never,c,r\n" % (NOW, 4 * NOW)
    assert newest_in_csv(_file(content, tmp_path), {}, TimeRange.around(NOW)) == NOW
    assert newest_in_csv(_file(HEADER, tmp_path), {}, TimeRange.around(NOW)) is None


def test_an_empty_file_and_a_missing_column_are_told(tmp_path: Path) -> None:
    """In one line."""
    with pytest.raises(EchoPulseError, match=r"f\.csv is empty \(the first line of a CSV file names its columns\)"):
        list(read_csv(_file(b"", tmp_path), {}))
    with pytest.raises(EchoPulseError, match=r"f\.csv has no column 'id' for id \(did you mean 'idd'\?"):
        list(read_csv(_file(b"idd,ts,channel,raw\n", tmp_path), {}))
