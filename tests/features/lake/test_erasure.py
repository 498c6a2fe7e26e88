"""One user erased from a lake: all of the rows and no others, noted under a keyed hash, after a death too."""

from __future__ import annotations

import hashlib
import hmac
import json
import signal
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from features.lake.erasure import Erasure, Person, begin, end, erase, erased_data, erasures
from features.lake.labelled import files_with, rewrite
from features.lake.lease import held
from features.lake.table import read_table
from schemas.errors import EchoPulseError
from tests.features.lake.lakes import HOUR, deaths, die_each, folder_lake, mortal_lake, names, write

if TYPE_CHECKING:
    from pathlib import Path

    from features.lake.location import Lake

ANN = Person("ann", None, b"key")
NEXT_HOUR = "date=2026-01-31/hour=08"


def fill(lake: Lake) -> None:
    """Two users in two channels, someone without a name, and features by user and by channel."""
    write(lake, "part-0", {"user_id": ["ann", "bob", None], "channel_id": ["c", "c", "d"], "n": [1, 2, 3]})
    write(lake, "part-1", {"user_id": ["bob"], "channel_id": ["c"], "n": [4]})
    write(lake, "part-0", {"user_id": ["ann"], "channel_id": ["d"], "n": [5]}, NEXT_HOUR)
    write(lake, "part-0", {"user_id": ["ann", "bob"], "n": [1, 2]}, table="features/user_1m")
    write(lake, "part-0", {"channel_id": ["c"], "n": [9]}, table="features/channel_1m")


def run(lake: Lake, person: Person = ANN, settle_s: float = 60) -> Erasure:
    """Erase from the lake alone."""
    with held(lake, "a test") as lease:
        return end(lake, erase(lake, person, begin(lake, person, {}), lease, settle_s))


def left(lake: Lake, table: str = "events") -> list[int]:
    """The numbers of the rows that are left."""
    found = read_table(lake, table, ["n"])
    return [] if found is None else sorted(found.column("n").to_pylist())


def test_all_rows_of_a_user_and_no_others(tmp_path: Path) -> None:
    """Rows without a user stay; files without the user are not touched; nobody's name is in the record."""
    lake = folder_lake(tmp_path)
    fill(lake)
    done = run(lake)
    assert left(lake) == [2, 3, 4]
    assert left(lake, "features/user_1m") == [2]
    assert left(lake, "features/channel_1m") == [9]
    assert done.rows == {"events": 2, "features/user_1m": 1}
    assert sorted(done.files) == [
        f"events/{HOUR}/part-0",
        f"events/{NEXT_HOUR}/part-0",
        f"features/user_1m/{HOUR}/part-0",
    ]
    assert "part-1" in names(lake)
    assert not (tmp_path / "events" / HOUR / "part-0").exists()
    assert not any(path.is_file() for path in (tmp_path / "events" / NEXT_HOUR).iterdir())
    assert erasures(lake) == [done]
    (record,) = (tmp_path / "_erasures").iterdir()
    assert b'"ann' not in record.read_bytes()
    assert json.loads(record.read_bytes())["user"] == hmac.new(b"key", b"ann", hashlib.sha256).hexdigest()


def test_again_it_finds_nothing(tmp_path: Path) -> None:
    """And leaves no second record."""
    lake = folder_lake(tmp_path)
    fill(lake)
    first = run(lake)
    files = names(lake)
    again = run(lake)
    assert (again.rows, names(lake), erasures(lake)) == ({}, files, [first])


def test_one_channel_alone(tmp_path: Path) -> None:
    """Features that know no channel go all the same: they were computed from what is erased."""
    lake = folder_lake(tmp_path)
    fill(lake)
    done = run(lake, Person("ann", "d", b"key"))
    assert done.rows == {"events": 1, "features/user_1m": 1}
    assert left(lake) == [1, 2, 3, 4]


def test_a_young_file_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job may look for it if it restarts now: its rows stay until it is old enough."""
    lake = folder_lake(tmp_path)
    fill(lake)
    young = tmp_path / "events" / HOUR / "part-0"
    young.touch()
    began, waited = young.stat().st_mtime, list[float]()

    def sleep(seconds: float) -> None:
        assert 1 in left(lake)
        waited.append(seconds)

    clock = SimpleNamespace(time=lambda: began + sum(waited))
    monkeypatch.setattr("features.lake.compaction.time", clock)
    monkeypatch.setattr("features.lake.erasure.time.sleep", sleep)
    assert run(lake, settle_s=60).rows == {"events": 2, "features/user_1m": 1}
    assert 60 <= sum(waited) <= 61
    assert left(lake) == [2, 3, 4]


def test_a_death_at_every_step_is_made_good_by_the_next_run(tmp_path: Path) -> None:
    """Others' rows are there throughout; the record, begun before, names every file in the end."""
    counted = tmp_path / "counted"
    write(folder_lake(counted), "part-0", {"user_id": ["ann", "bob"], "n": [1, 2]})
    lake, handler = mortal_lake(counted, 0, after=False)
    run(lake)
    folders = {tmp_path / str(fatal): fatal for fatal in range(1, handler.changes + 1)}
    for folder in folders:
        write(folder_lake(folder), "part-0", {"user_id": ["ann", "bob"], "n": [1, 2]})
    statuses = deaths(__file__, [(str(folder), fatal, False) for folder, fatal in folders.items()])
    assert statuses == [signal.SIGKILL] * handler.changes
    for folder in folders:
        lake = folder_lake(folder)
        assert left(lake) in ([1, 2], [2])
        run(lake)
        assert left(lake) == [2]
        assert len(names(lake)) == 1
        # Whoever dies before the first record is there has erased nothing; after the last one, everything.
        assert erasures(lake)[0].files == {f"events/{HOUR}/part-0": 1}
        assert all(record.ended for record in erasures(lake))


def test_labelled_files_are_rewritten_and_their_digests_kept(tmp_path: Path) -> None:
    """Those that name the user; a file without users stays as it is."""
    lake, data = folder_lake(tmp_path / "lake"), tmp_path / "data"
    write(lake, "hate.train.parquet", {"text": ["x", "y"], "user_id": ["ann", "bob"]}, "", "../data")
    write(lake, "sentiment.train.parquet", {"text": ["x"]}, "", "../data")
    found = files_with(data, ANN)
    assert [path.name for path in found.values()] == ["hate.train.parquet"]
    record = end(lake, begin(lake, ANN, {digest: path.name for digest, path in found.items()}))
    assert [rewrite(path, ANN) for path in found.values()] == [1]
    assert pq.read_table(data / "hate.train.parquet").to_pydict() == {"text": ["y"], "user_id": ["bob"]}
    assert files_with(data, ANN) == {}
    assert erased_data(lake) == dict.fromkeys(found, record)
    with pytest.raises(EchoPulseError, match="no such folder"):
        files_with(tmp_path / "none", ANN)


if __name__ == "__main__":
    die_each(run)
