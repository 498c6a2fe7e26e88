"""What starts left behind is deleted, and nothing that state can be taken up from."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from echopulse.stack.flink_leftovers import clear_leftovers, superseded
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW, CRASHED = "a" * 32, "0" * 32, "f" * 32


def _write(path: Path, at_s: int = 1_769_860_800) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"state")
    os.utime(path, (at_s, at_s))
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The folder of a cluster after three starts: the last job ended before its first checkpoint was complete."""
    checkpoints = tmp_path / "checkpoints"
    _write(checkpoints / OLD / "chk-104" / "_metadata", 1_769_860_800)
    _write(checkpoints / OLD / "shared" / "sst")
    _write(checkpoints / NEW / "chk-3" / "_metadata", 1_769_860_900)
    _write(checkpoints / NEW / "shared" / "sst")
    _write(checkpoints / CRASHED / "chk-1" / "half", 1_769_861_000)
    _write(checkpoints / "mine" / "chk-1" / "_metadata")
    _write(tmp_path / "savepoints" / "savepoint-aaaaaa-1" / "_metadata", 1)
    _write(tmp_path / "tmp" / "flink-rpc-akka.jar")
    _write(tmp_path / "tmp" / "tm_taskmanager-1" / "localState" / "x")
    return tmp_path


def test_the_newest_state_is_left(data: Path) -> None:
    """That of the job with the newest complete checkpoint, whole; savepoints, and what is no job's folder."""
    clear_leftovers(data)
    assert sorted(path.name for path in (data / "checkpoints").iterdir()) == [NEW, "mine"]
    assert (data / "checkpoints" / NEW / "shared" / "sst").is_file()
    assert (data / "savepoints" / "savepoint-aaaaaa-1" / "_metadata").is_file()
    assert list((data / "tmp").iterdir()) == []
    clear_leftovers(data)
    assert (data / "checkpoints" / NEW / "chk-3" / "_metadata").is_file()


def test_jobs_without_a_complete_checkpoint_leave_nothing(tmp_path: Path) -> None:
    """There is no state in them."""
    _write(tmp_path / "checkpoints" / CRASHED / "chk-1" / "half")
    clear_leftovers(tmp_path)
    assert list((tmp_path / "checkpoints").iterdir()) == []


def test_links_are_not_followed(data: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What they lead to is somebody else's."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    kept = _write(elsewhere / "chk-9" / "_metadata")
    (data / "checkpoints" / ("b" * 32)).symlink_to(elsewhere)
    (data / "tmp" / "link").symlink_to(elsewhere)
    clear_leftovers(data)
    assert kept.is_file()
    assert (data / "checkpoints" / ("b" * 32)).is_symlink()


def test_before_the_first_start(tmp_path: Path) -> None:
    """There is nothing."""
    clear_leftovers(tmp_path / "flink")
    assert superseded(tmp_path / "flink" / "checkpoints") == []
    assert not (tmp_path / "flink").exists()


def test_what_cannot_be_deleted_is_told(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its path; nothing is started over it."""

    def refused(path: Path) -> None:
        message = f"[Errno 13] Permission denied: '{path}'"
        raise PermissionError(message)

    monkeypatch.setattr("shutil.rmtree", refused)
    left = data / "tmp" / "tm_taskmanager-1"
    with pytest.raises(EchoPulseError) as error:
        clear_leftovers(data)
    assert str(error.value) == (
        f"flink: cannot delete what an earlier start left: [Errno 13] Permission denied: '{left}' (remove {left})"
    )
