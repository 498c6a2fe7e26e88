"""Modules that others bring."""

from __future__ import annotations

from collections import UserDict
from typing import TYPE_CHECKING

import pytest

from schemas.errors import EchoPulseError
from transforms.plugin_module import declared_in, load_module, place_of, plugin_files

if TYPE_CHECKING:
    from pathlib import Path

_SOURCE = "from collections import UserDict\n\nclass Own(UserDict):\n    pass\n\nclass _Base(UserDict):\n    pass\n"


def test_a_modules_own_public_classes_are_declared(tmp_path: Path) -> None:
    """Neither what it imports nor what an underscore begins; each is told by file and line."""
    path = tmp_path / "own.py"
    path.write_text(_SOURCE)
    [own] = declared_in(load_module(path, "test"), UserDict)
    assert own.__name__ == "Own"
    assert place_of(own) == f"{path}:3"


def test_files_of_equal_names_are_modules_of_their_own(tmp_path: Path) -> None:
    """Each is loaded under its whole path."""
    names = set()
    for folder in ("a", "b"):
        path = tmp_path / folder / "own.py"
        path.parent.mkdir()
        path.write_text("x = 1\n")
        names.add(load_module(path, "test").__name__)
    assert len(names) == 2


def test_a_file_that_fails_is_told_with_its_line(tmp_path: Path) -> None:
    """The last line of its own, not that of a library that it called."""
    path = tmp_path / "own.py"
    path.write_text("import json\n\njson.loads('{')\n")
    with pytest.raises(EchoPulseError) as raised:
        load_module(path, "test")
    assert str(raised.value).startswith(f"{path}:3: JSONDecodeError")


def test_files_are_read_in_order_and_drafts_are_not(tmp_path: Path) -> None:
    """A leading underscore marks what is not to be read."""
    for name in ("b.py", "a.py", "_draft.py", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in plugin_files(tmp_path)] == ["a.py", "b.py"]
