"""Strategies found, and faults told with file and line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schemas.errors import EchoPulseError
from transforms.discovery import discover
from transforms.selection import DEFAULT_STRATEGIES

if TYPE_CHECKING:
    from pathlib import Path

_HEAD = "import pyarrow as pa\nfrom transforms.strategy import Strategy\n"
_GOOD = _HEAD + (
    'class Own(Strategy):\n    kind, name, type = "cluster", "own", pa.string()\n'
    '    def analyze(self, batch):\n        return pa.array([""] * batch.num_rows)\n'
)


def test_shipped() -> None:
    """The defaults are all found."""
    assert {(kind, name) for kind, name in DEFAULT_STRATEGIES.items()} <= set(discover().strategies)


def test_folder(tmp_path: Path) -> None:
    """A strategy in a folder is found by its kind and name; files with a leading underscore are not read."""
    (tmp_path / "own.py").write_text(_GOOD)
    (tmp_path / "_draft.py").write_text("not Python")
    assert discover([tmp_path]).create("cluster", "own").name == "own"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("x = (\n", ":1: "),
        ("import pyarrow\n\nraise ValueError('boom')\n", ":3: ValueError: boom"),
        ("from transforms.strategy import Stratgy\n", ":1: ImportError"),
        ("x = 1\n", ":1: no subclass of"),
        (_GOOD.replace("kind, name, type", "kind, nam, type"), ":3: Own does not declare `name`"),
        (_GOOD.replace('"cluster"', '"clustr"'), ":3: no kind of analysis 'clustr' (did you mean 'cluster'?)"),
        (_GOOD.replace("pa.string()", "pa.int64()"), ":3: type is int64, cluster gives string"),
        (_GOOD.replace("def analyze", "def analyse"), ":3: Own has no method `analyze`"),
        (_GOOD.replace('"own"', '"signature"'), ":3: 'signature' for cluster is at"),
    ],
)
def test_faults_name_file_and_line(tmp_path: Path, source: str, told: str) -> None:
    """A strategy that cannot be loaded or declares badly is named with file and line."""
    path = tmp_path / "own.py"
    path.write_text(source)
    with pytest.raises(EchoPulseError) as raised:
        discover([tmp_path])
    assert f"{path}{told}" in str(raised.value)


def test_missing_folder(tmp_path: Path) -> None:
    """A folder that is not there is named with the setting."""
    with pytest.raises(EchoPulseError, match="strategy_paths"):
        discover([tmp_path / "none"])
