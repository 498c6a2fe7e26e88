"""Reading YAML, and what is said of what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.settings_errors import read_yaml, refuse_unknown_variables
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a: [b", "x.yaml:1:6: not YAML"),
        (b"- 1\n", "a mapping of settings is expected"),
        (b"1: 2\n", "a mapping of settings is expected"),
        (b"\x00", "not YAML: unacceptable character"),
        (b"a: \xff\xfe", "not YAML"),
    ],
)
def test_what_is_not_a_mapping_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    """Bad YAML is named with its place, in one line."""
    file = tmp_path / "x.yaml"
    file.write_bytes(content)
    with pytest.raises(EchoPulseError) as caught:
        read_yaml(file)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_empty_file_is_no_settings(tmp_path: Path) -> None:
    """An empty file or one of comments is a mapping without keys."""
    file = tmp_path / "x.yaml"
    file.write_text("# nothing\n", encoding="utf-8")
    assert read_yaml(file) == {}


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    """What cannot be read is told as such."""
    with pytest.raises(EchoPulseError, match="cannot be read"):
        read_yaml(tmp_path)


def test_variables_of_others_are_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only our prefix is looked at, in any case."""
    monkeypatch.setenv("OTHER_KAFAK", "x")
    monkeypatch.setenv("ECHOPULSE_kafka__replication", "1")
    refuse_unknown_variables({"kafka"}, "ECHOPULSE_")
