"""Rows computed anew in the place of others: the span's alone, in one step an hour, whatever dies on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from features.lake.lease import held
from features.lake.publishing import Published, Span, publish
from features.lake.table import read_table
from schemas.errors import EchoPulseError
from tests.features.lake.lakes import folder_lake, live, mortal_lake, names, with_tests, write

if TYPE_CHECKING:
    from features.lake.location import Lake

TABLE, STAGED = "features/view", "_backfill/x/features/view"
SEVEN, EIGHT, NINE = (f"date=2026-01-31/hour=0{hour}" for hour in (7, 8, 9))
#: From half past seven, not itself, to eight, itself.
SPAN = Span("end", datetime(2026, 1, 31, 7, 30, tzinfo=UTC), datetime(2026, 1, 31, 8, 0, tzinfo=UTC))


def rows(*of: tuple[int, int, str]) -> dict[str, pa.Array]:
    """Columns of rows: hour, minute and value."""
    ends = [datetime(2026, 1, 31, hour, minute) for hour, minute, _ in of]  # noqa: DTZ001 as the job writes it
    return {"end": pa.array(ends, pa.timestamp("ns")), "value": pa.array([value for *_, value in of])}


def fill(lake: Lake) -> None:
    """A table over three hours, whose last is not the span's, and what takes the place of the middle."""
    write(lake, "part-0", rows((7, 10, "old"), (7, 30, "old")), SEVEN, TABLE)
    write(lake, "part-1", rows((7, 40, "wrong"), (7, 50, "wrong")), SEVEN, TABLE)
    write(lake, "part-0", rows((8, 0, "wrong"), (8, 1, "old")), EIGHT, TABLE)
    write(lake, "part-0", rows((9, 0, "old")), NINE, TABLE)
    write(lake, "part-a", rows((7, 40, "right")), SEVEN, STAGED)
    write(lake, "part-b", rows((7, 45, "right")), SEVEN, STAGED)
    write(lake, "part-a", rows((8, 0, "right")), EIGHT, STAGED)


WANTED = ["07:10 old", "07:30 old", "07:40 right", "07:45 right", "08:00 right", "08:01 old", "09:00 old"]


def told(lake: Lake) -> list[str]:
    """All rows of the table, in order of time."""
    table = read_table(lake, TABLE, ["end", "value"])
    assert table is not None
    return [f"{row['end']:%H:%M} {row['value']}" for row in table.sort_by("end").to_pylist()]


def run(lake: Lake, span: Span = SPAN, settle_s: float = 0) -> Published:
    """Publish what is staged."""
    with held(lake, "a test") as lease:
        return publish(lake, STAGED, TABLE, span, lease, settle_s)


def test_the_spans_rows_are_replaced_and_no_others(tmp_path: Path) -> None:
    """Three new rows stand where three wrong ones stood; an hour the span does not touch keeps its file."""
    lake = folder_lake(tmp_path)
    fill(lake)
    assert run(lake) == Published(TABLE, 2, 3, 3)
    assert told(lake) == WANTED
    assert len(live(lake, TABLE)) == 3
    assert "part-0" in live(lake, TABLE)


def test_twice_is_once(tmp_path: Path) -> None:
    """Rows published again take their own place."""
    lake = folder_lake(tmp_path)
    fill(lake)
    run(lake)
    assert run(lake) == Published(TABLE, 2, 3, 3)
    assert told(lake) == WANTED


def test_an_hour_without_rows_gets_some_and_one_without_new_ones_loses_its_own(tmp_path: Path) -> None:
    """A table that is not there yet is begun; what the batch does not know is no row."""
    lake = folder_lake(tmp_path)
    write(lake, "part-a", rows((7, 40, "right")), SEVEN, STAGED)
    assert run(lake) == Published(TABLE, 1, 1, 0)
    assert told(lake) == ["07:40 right"]
    write(lake, "part-9", rows((8, 0, "wrong")), EIGHT, TABLE)
    assert run(lake) == Published(TABLE, 2, 1, 2)
    assert told(lake) == ["07:40 right"]


def test_a_column_that_came_later_is_null_in_older_rows(tmp_path: Path) -> None:
    """A view that got a feature is published beside rows without it."""
    lake = folder_lake(tmp_path)
    write(lake, "part-0", rows((7, 10, "old"), (7, 40, "wrong")), SEVEN, TABLE)
    write(lake, "part-a", rows((7, 40, "right")) | {"more": pa.array([5])}, SEVEN, STAGED)
    run(lake)
    table = read_table(lake, TABLE, ["value", "more"])
    assert table is not None
    assert table.sort_by("value").to_pydict() == {"value": ["old", "right"], "more": [None, 5]}


def test_a_column_of_another_type_is_refused(tmp_path: Path) -> None:
    """And nothing is changed."""
    lake = folder_lake(tmp_path)
    write(lake, "part-0", rows((7, 40, "old")), SEVEN, TABLE)
    write(lake, "part-a", rows((7, 40, "x")) | {"value": pa.array([5])}, SEVEN, STAGED)
    with pytest.raises(EchoPulseError, match=r"column 'value' is string in .* and int64 in"):
        run(lake)
    assert told(lake) == ["07:40 old"]


def test_a_young_file_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job may look for it if it restarts now: nothing is changed until then, and older files are no cause."""
    lake = folder_lake(tmp_path)
    fill(lake)
    for path in (tmp_path / TABLE).rglob("part-*"):
        os.utime(path, (0, 0))
    young = tmp_path / TABLE / SEVEN / "part-1"
    young.touch()
    old, waited = told(lake), []

    def sleep(seconds: float) -> None:
        assert told(lake) == old
        waited.append(seconds)
        os.utime(young, (0, 0))

    monkeypatch.setattr("features.lake.publishing.time.sleep", sleep)
    run(lake, settle_s=600)
    (seconds,) = waited
    assert 500 < seconds <= 600
    assert told(lake) == WANTED


def changes(folder: Path) -> int:
    """Count the changes that publishing makes to a lake."""
    lake, handler = mortal_lake(folder, 0, after=False)
    run(lake)
    return handler.changes


def test_a_death_at_every_step_is_mended_by_the_next_run(tmp_path: Path) -> None:
    """Killed before any change, an hour reads as its old rows or its new ones; the next run ends what was begun."""
    counted = tmp_path / "counted"
    fill(folder_lake(counted))
    old = told(folder_lake(counted))
    total = changes(counted)
    assert total == 9  # each hour: hidden file, its name, the version; the three files that they stand for
    for fatal in range(1, total + 1):
        folder = tmp_path / str(fatal)
        lake = folder_lake(folder)
        fill(lake)
        command = [sys.executable, __file__, str(folder), str(fatal)]
        assert subprocess.run(command, env=with_tests(), check=False, timeout=60).returncode == -signal.SIGKILL
        found = told(lake)
        for hour in ("07", "08", "09"):
            assert [row for row in found if row.startswith(hour)] in (
                [row for row in old if row.startswith(hour)],
                [row for row in WANTED if row.startswith(hour)],
            )
        run(lake)
        assert told(lake) == WANTED
        assert len(names(lake, TABLE)) == 3


if __name__ == "__main__":
    run(mortal_lake(Path(sys.argv[1]), int(sys.argv[2]), after=False)[0])
