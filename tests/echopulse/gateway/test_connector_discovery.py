"""Connectors found, and faults told with file and line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from echopulse.gateway.connector_discovery import discover
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path

_GOOD = """from echopulse.gateway.connector import Arrival, Connector, Options
class Own(Connector[Options]):
    name, kinds, pausable, options = "own", frozenset({"message"}), False, Options
    address = "own://here"
    async def arrivals(self, resume):
        yield Arrival(b"{}")
"""


def test_shipped() -> None:
    """The generic two, and what they declare."""
    found = discover()
    assert {"sse", "websocket"} <= set(found)
    assert (found["sse"].pausable, found["websocket"].resumable) == (True, True)


def test_folder(tmp_path: Path) -> None:
    """A connector in a folder is found by its name; files with a leading underscore are not read."""
    (tmp_path / "own.py").write_text(_GOOD)
    (tmp_path / "_draft.py").write_text("not Python")
    assert discover([tmp_path])["own"].__name__ == "Own"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("x = (\n", ":1: "),
        ("import os\n\nraise ValueError('boom')\n", ":3: ValueError: boom"),
        ("x = 1\n", ":1: no subclass of"),
        (_GOOD.replace("name, kinds", "nam, kinds"), ":2: Own does not declare `name`"),
        (_GOOD.replace("def arrivals", "def arivals"), ":2: Own has no `arrivals`"),
        (_GOOD.replace("yield", "return"), ":2: `arrivals` of Own is no `async def` that yields"),
        (_GOOD.replace("False, Options", "False, dict"), ":2: `options` of Own is no subclass of Options"),
        (_GOOD.replace('"own"', '"sse"'), ":2: connector 'sse' is at"),
    ],
)
def test_faults_name_file_and_line(tmp_path: Path, source: str, told: str) -> None:
    """A connector that cannot be loaded or declares badly is named with file and line."""
    path = tmp_path / "own.py"
    path.write_text(source)
    with pytest.raises(EchoPulseError) as raised:
        discover([tmp_path])
    assert f"{path}{told}" in str(raised.value)


def test_missing_folder(tmp_path: Path) -> None:
    """A folder that is not there is named with the setting."""
    with pytest.raises(EchoPulseError, match="connector_paths"):
        discover([tmp_path / "none"])
