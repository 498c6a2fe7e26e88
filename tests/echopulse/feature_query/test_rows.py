"""Rows out of a lake in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.feature_query.rows import LakeRows, row_schema
from echopulse.settings_sections import Lake
from schemas.errors import EchoPulseError
from tests.echopulse.feature_query.conftest import SEATS, TALK
from tests.echopulse.feature_query.lakes import write_rows

if TYPE_CHECKING:
    from pathlib import Path

BEGIN_MS = 1_700_000_000_000
DAY_MS = 86_400_000


def _nothing(_rows: int) -> None:
    """Go on whatever comes."""


def test_rows_of_keys_and_span_are_read_and_no_others(tmp_path: Path) -> None:
    """Also across days; what Flink still writes is hidden, and left out."""
    ends = [BEGIN_MS + hours * 3_600_000 for hours in (-1, 0, 20, 30)]
    write_rows(tmp_path, TALK, *(("c:1", place, 0.5, "w", end) for place, end in enumerate(ends)))
    write_rows(tmp_path, TALK, ("c:2", 9, None, None, BEGIN_MS))
    folder = next((tmp_path / "features" / "talk_1m").glob("*/*"))
    (folder / ".part-0.inprogress.1").write_bytes(b"not yet Parquet")
    rows = LakeRows(Lake(path=str(tmp_path)))
    found = rows.between(TALK, TALK.features[:1], [("c:1",)], (BEGIN_MS, ends[3]), _nothing)
    assert found.schema == row_schema(TALK, TALK.features[:1])
    assert sorted(found.column("n").to_pylist()) == [1, 2]


def test_a_view_without_rows_reads_as_none(tmp_path: Path) -> None:
    """Nothing was written yet, or nothing of these keys."""
    rows = LakeRows(Lake(path=str(tmp_path)))
    assert rows.between(SEATS, SEATS.features, [("c", 1)], (0, BEGIN_MS), _nothing).num_rows == 0
    write_rows(tmp_path, SEATS, ("c", 1, 5, BEGIN_MS))
    assert rows.between(SEATS, SEATS.features, [("c", 1)], (0, BEGIN_MS + 1), _nothing).num_rows == 1
    assert rows.between(SEATS, SEATS.features, [("c", 2)], (0, BEGIN_MS + 1), _nothing).num_rows == 0


def test_a_file_that_is_damaged_is_told(tmp_path: Path) -> None:
    """By its table."""
    write_rows(tmp_path, SEATS, ("c", 1, 5, BEGIN_MS))
    for file in tmp_path.rglob("*.parquet"):
        file.write_bytes(b"PAR1 not Parquet")
    with pytest.raises(EchoPulseError, match="features/seats"):
        LakeRows(Lake(path=str(tmp_path))).between(SEATS, SEATS.features, [("c", 1)], (0, DAY_MS), _nothing)


def test_a_read_that_nobody_waits_for_ends(tmp_path: Path) -> None:
    """With the error of who does not wait."""

    def refuse(rows: int) -> None:
        if rows:
            raise EchoPulseError("enough")

    write_rows(tmp_path, SEATS, ("c", 1, 5, BEGIN_MS))
    with pytest.raises(EchoPulseError, match="enough"):
        LakeRows(Lake(path=str(tmp_path))).between(SEATS, SEATS.features, [("c", 1)], (0, BEGIN_MS + 1), refuse)
