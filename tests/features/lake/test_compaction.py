"""Small files merged: the same rows before, meanwhile and afterwards, and after a death at every step."""

from __future__ import annotations

import signal
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from features.lake.compaction import Compacted, compact
from features.lake.lease import held
from features.lake.table import read_table
from schemas.errors import EchoPulseError
from tests.features.lake.lakes import HOUR, deaths, die_each, folder_lake, live, mortal_lake, names, write

if TYPE_CHECKING:
    from features.lake.location import Lake

NEXT_HOUR = "date=2026-01-31/hour=08"
LATER = datetime(2026, 3, 1, tzinfo=UTC)


def fill(lake: Lake) -> None:
    """Three files in one hour, of which the last has a column more, and one in the next."""
    write(lake, "part-0", {"n": [1, 2]})
    write(lake, "part-1", {"n": [3]})
    write(lake, "part-2", {"n": [4], "more": ["x"]})
    write(lake, "part-0", {"n": [5]}, NEXT_HOUR)


def numbers(lake: Lake) -> list[int]:
    """All rows' numbers."""
    table = read_table(lake, "events", ["n"])
    return [] if table is None else sorted(table.column("n").to_pylist())


def run(lake: Lake, before: datetime = LATER, settle_s: float = 60) -> Compacted:
    """Compact the events."""
    with held(lake, "a test") as lease:
        return compact(lake, "events", lease, before, settle_s)


def test_small_files_become_one(tmp_path: Path) -> None:
    """Rows, columns and values stay; a second compaction finds nothing to do."""
    lake = folder_lake(tmp_path)
    fill(lake)
    assert run(lake) == Compacted("events", 4, 2, 1, 4, 0, 0, 0, 0)
    assert len(names(lake)) == 2
    table = read_table(lake, "events", ["n", "more"])
    assert table is not None
    assert table.sort_by("n").to_pydict() == {"n": [1, 2, 3, 4, 5], "more": [None, None, None, "x", None]}
    assert run(lake) == Compacted("events", 2, 2, 0, 0, 0, 0, 0, 0)


def test_what_is_merged_is_merged_again(tmp_path: Path) -> None:
    """A late file joins the one that its hour was merged into."""
    lake = folder_lake(tmp_path)
    fill(lake)
    run(lake)
    write(lake, "part-9", {"n": [6]})
    assert run(lake) == Compacted("events", 3, 2, 1, 5, 0, 0, 0, 0)
    assert numbers(lake) == [1, 2, 3, 4, 5, 6]


def test_open_hours_and_young_files_are_left(tmp_path: Path) -> None:
    """An hour that has not ended by then; files that the job may still look for."""
    lake = folder_lake(tmp_path)
    fill(lake)
    assert run(lake, before=datetime(2026, 1, 31, 7, 59, tzinfo=UTC)) == Compacted("events", 4, 4, 0, 0, 0, 0, 4, 0)
    (tmp_path / "events" / HOUR / "part-0").touch()
    assert run(lake) == Compacted("events", 4, 3, 1, 2, 0, 1, 0, 0)
    assert numbers(lake) == [1, 2, 3, 4, 5]


def test_large_files_are_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are counted, whatever their hour."""
    lake = folder_lake(tmp_path)
    fill(lake)
    monkeypatch.setattr("features.lake.compaction.LARGE_BYTES", 1)
    assert run(lake) == Compacted("events", 4, 4, 0, 0, 0, 0, 0, 4)


def test_times_stay_as_the_job_writes_them(tmp_path: Path) -> None:
    """INT96, which older readers and Flink know."""
    lake = folder_lake(tmp_path)
    moment = [datetime(2026, 1, 31, 7, 30)]  # noqa: DTZ001 as the job writes it, without a zone
    for name in ("part-0", "part-1"):
        write(lake, name, {"ts": moment})
        path = tmp_path / "events" / HOUR / name
        pq.write_table(pq.read_table(path, partitioning=None), path, use_deprecated_int96_timestamps=True)
    run(lake, settle_s=-60)
    (name,) = names(lake)
    file = pq.ParquetFile(tmp_path / "events" / HOUR / name)
    assert file.schema.column(0).physical_type == "INT96"
    assert file.read().column("ts").to_pylist() == moment * 2


def test_one_at_a_time(tmp_path: Path) -> None:
    """The second is told who is at it."""
    lake = folder_lake(tmp_path)
    fill(lake)
    with (
        held(lake, "feature compact"),
        pytest.raises(EchoPulseError, match=r"feature compact \(pid \d+ on .+\) is rewriting it"),
    ):
        run(lake)
    assert run(lake).partitions == 1


def test_readers_meanwhile_see_each_row_once(tmp_path: Path) -> None:
    """A reader that reads again and again while the lake is compacted again and again."""
    lake = folder_lake(tmp_path)
    fill(lake)
    seen: list[list[int]] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.append(numbers(lake))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for place in range(30):
            write(lake, f".part-{place}", {"n": [100 + place]})
            (tmp_path / "events" / HOUR / f".part-{place}").rename(tmp_path / "events" / HOUR / f"part-x{place}")
            run(lake)
    finally:
        done.set()
        reader.join()
    assert numbers(lake) == [1, 2, 3, 4, 5, *range(100, 130)]
    assert seen
    assert all(each == [1, 2, 3, 4, 5, *range(100, 100 + len(each) - 5)] for each in seen)


def changes(folder: Path) -> int:
    """Count the changes that a compaction makes to a lake."""
    lake, handler = mortal_lake(folder, 0, after=False)
    run(lake)
    return handler.changes


def test_a_death_at_every_step_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Killed before or after any change, the lake reads the same; the next compaction ends what was begun."""
    counted = tmp_path / "counted"
    fill(folder_lake(counted))
    total = changes(counted)
    assert total == 6  # hidden file, its name, the version, three files that it stands for
    # After one change is before the next; after the first, though, the hidden file is there and still empty.
    cases = [
        (str(tmp_path / f"{fatal}-{after}"), fatal, after)
        for fatal, after in [(1, True), *((fatal, False) for fatal in range(1, total + 1))]
    ]
    for folder, *_ in cases:
        fill(folder_lake(Path(folder)))
    assert deaths(__file__, cases) == [signal.SIGKILL] * len(cases)
    for folder, *_ in cases:
        lake = folder_lake(Path(folder))
        assert numbers(lake) == [1, 2, 3, 4, 5]
        run(lake)
        assert numbers(lake) == [1, 2, 3, 4, 5]
        assert len(names(lake)) == 2
        assert len(live(lake)) == 2


if __name__ == "__main__":
    die_each(run)
