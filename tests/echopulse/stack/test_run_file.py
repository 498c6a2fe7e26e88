"""The run file and its lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.stack import run_file
from echopulse.stack.processes import ProcessRecord
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    """Every field survives; no file is no service; removing twice is as good as once."""
    entries = [run_file.RunEntry("kafka", ProcessRecord(7, 1.5, "/home"), "127.0.0.1:1", "/log")]
    assert run_file.read(tmp_path / "run") == []
    run_file.write(tmp_path / "run", entries)
    assert run_file.read(tmp_path / "run") == entries
    assert run_file.absences(tmp_path / "run") == []
    absent = [run_file.Absence("mlflow", "failed", "no network", ProcessRecord(8, 2.5, "/home"))]
    run_file.write(tmp_path / "run", entries, absent)
    assert (run_file.read(tmp_path / "run"), run_file.absences(tmp_path / "run")) == (entries, absent)
    assert run_file.started_with(tmp_path / "run") == {}
    run_file.write(tmp_path / "run", entries, settings={"kafka_port": 1})
    assert run_file.started_with(tmp_path / "run") == {"kafka_port": 1}
    run_file.remove(tmp_path / "run")
    run_file.remove(tmp_path / "run")
    assert run_file.absences(tmp_path / "run") == []
    assert run_file.read(tmp_path / "run") == []
    assert run_file.started_with(tmp_path / "run") == {}


@pytest.mark.parametrize(
    "text", ["", "[]", '{"services": [{"name": "kafka"}]}', '{"services": [{"name": 1, "process": 2}]}']
)
def test_a_damaged_file_is_one_clear_line(tmp_path: Path, text: str) -> None:
    """It is named, and never taken for an empty one: processes may be running."""
    run_file.path_in(tmp_path).write_text(text)
    with pytest.raises(EchoPulseError, match=r"run file .* is unreadable"):
        run_file.read(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", '{"services": [], "absent": [{"name": "mlflow"}]}'])
def test_damage_where_absences_are_told(tmp_path: Path, text: str) -> None:
    """The same line."""
    run_file.path_in(tmp_path).write_text(text)
    with pytest.raises(EchoPulseError, match=r"run file .* is unreadable"):
        run_file.absences(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", '{"services": [], "settings": 7}'])
def test_damage_where_settings_are_told(tmp_path: Path, text: str) -> None:
    """The same line."""
    run_file.path_in(tmp_path).write_text(text)
    with pytest.raises(EchoPulseError, match=r"run file .* is unreadable"):
        run_file.started_with(tmp_path)


def test_the_lock_is_held_by_one(tmp_path: Path) -> None:
    """Whoever comes second is told, and gets the lock once it is free."""
    with run_file.locked(tmp_path), pytest.raises(EchoPulseError, match="is busy"), run_file.locked(tmp_path, 0.2):
        pytest.fail("two held the lock")
    with run_file.locked(tmp_path):
        pass


def test_a_home_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    """A file where the folder should be is named with the setting."""
    (tmp_path / "home").write_text("")
    with (
        pytest.raises(EchoPulseError, match=r"cannot write in .*set `home`"),
        run_file.locked(tmp_path / "home" / "run"),
    ):
        pytest.fail("locked a folder inside a file")
