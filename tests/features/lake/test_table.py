"""A table of many files read as one: columns that came later, types that changed, files that are no files yet."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from features.lake.listing import newest_files
from features.lake.table import dataset, read_table
from schemas.errors import EchoPulseError
from tests.features.lake.lakes import HOUR, folder_lake, write

if TYPE_CHECKING:
    from pathlib import Path


def test_a_column_that_came_later_reads_as_null(tmp_path: Path) -> None:
    """Older files lack it; newer ones may have dropped another."""
    lake = folder_lake(tmp_path)
    write(lake, "part-0", {"n": [1, 2], "old": ["a", "b"]})
    write(lake, "part-1", {"n": [3], "new": [0.5]}, "date=2026-02-01/hour=00")
    table = read_table(lake, "events")
    assert table is not None
    assert table.to_pydict() == {
        "n": [1, 2, 3],
        "old": ["a", "b", None],
        "new": [None, None, 0.5],
        "date": ["2026-01-31", "2026-01-31", "2026-02-01"],
        "hour": ["07", "07", "00"],
    }


def test_columns_and_rows_are_chosen(tmp_path: Path) -> None:
    """Partitions are columns; an unknown column is told with the nearest."""
    lake = folder_lake(tmp_path)
    write(lake, "part-0", {"user_id": ["a", "b"]})
    write(lake, "part-0", {"user_id": ["c"]}, "date=2026-02-01/hour=00")
    table = read_table(lake, "events", ["user_id"], pc.field("date") == "2026-01-31")
    assert table is not None
    assert table.to_pydict() == {"user_id": ["a", "b"]}
    with pytest.raises(EchoPulseError) as caught:
        read_table(lake, "events", ["user"])
    assert str(caught.value) == "lake table events has no column 'user' (did you mean 'user_id'?)"


def test_partitions_that_are_not_wanted_are_not_opened(tmp_path: Path) -> None:
    """A damaged file of another hour stands in nobody's way."""
    lake = folder_lake(tmp_path)
    write(lake, "part-0", {"n": [1]})
    path = tmp_path / "events" / "date=2026-02-01" / "hour=00" / "part-0"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no Parquet")
    found = dataset(lake, "events", HOUR.__eq__)
    assert found is not None
    assert found.to_table(columns=["n"]).to_pydict() == {"n": [1]}
    assert dataset(lake, "events", lambda _: False) is None


def test_the_newest_files_are_those_written_last_in_the_newest_hour(tmp_path: Path) -> None:
    """Whatever is written to older hours; hidden files are none."""
    lake = folder_lake(tmp_path)
    for place, (name, hour) in enumerate([("a", "05"), ("c", "05"), ("b", "05"), (".d", "05"), ("e", "04")]):
        write(lake, name, {"n": [1]}, f"date=2026-02-01/hour={hour}")
        os.utime(tmp_path / "events" / "date=2026-02-01" / f"hour={hour}" / name, (place, place))
    assert [file.name for file in newest_files(lake, "events", 2)] == ["b", "c"]
    assert newest_files(lake, "nothing", 2) == []


def test_a_changed_type_is_refused_by_name(tmp_path: Path) -> None:
    """Column, both types and a file of each."""
    lake = folder_lake(tmp_path)
    write(lake, "part-0", {"n": [1]})
    write(lake, "part-1", {"n": pa.array([1.0], pa.float64())})
    with pytest.raises(EchoPulseError) as caught:
        read_table(lake, "events")
    assert str(caught.value) == (
        f"lake table events: column 'n' is int64 in {HOUR}/part-0 and double in {HOUR}/part-1 "
        "(a column keeps its type: give the changed one a name of its own)"
    )


def test_files_in_the_making_are_left_out(tmp_path: Path) -> None:
    """Flink's own begin with a dot; so do those of a rewriting, and folders with an underscore are no partitions."""
    lake = folder_lake(tmp_path)
    write(lake, "part-0", {"n": [1]})
    for name in (".part-1.inprogress.7f", ".whole-7f.parquet", "_SUCCESS", "../_temporary/part-2"):
        path = tmp_path / "events" / HOUR / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half")
    table = read_table(lake, "events", ["n"])
    assert table is not None
    assert table.to_pydict() == {"n": [1]}


def test_a_table_that_nobody_wrote_is_none(tmp_path: Path) -> None:
    """Nor is an empty folder an error."""
    assert dataset(folder_lake(tmp_path / "away"), "events") is None
    (tmp_path / "events").mkdir()
    assert read_table(folder_lake(tmp_path), "events") is None


def test_a_file_cut_short_is_named(tmp_path: Path) -> None:
    """Without its footer, and with a footer whose pages are damaged."""
    lake = folder_lake(tmp_path)
    write(lake, "part-0", {"n": list(range(1000))})
    write(lake, "part-1", {"n": list(range(1000))})
    path = tmp_path / "events" / HOUR / "part-1"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EchoPulseError) as caught:
        read_table(lake, "events")
    assert str(caught.value).startswith(f"{path} is no whole Parquet file: Parquet magic bytes not found in footer.")
    assert str(caught.value).endswith("(it was cut short or damaged: restore it, or remove it)")
    path.write_bytes(whole[:4] + b"\xff" * (len(whole) // 2) + whole[4 + len(whole) // 2 :])
    with pytest.raises(EchoPulseError, match=f"^{path} is no whole Parquet file: "):
        read_table(lake, "events")
