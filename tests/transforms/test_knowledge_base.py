"""The knowledge base and its faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from schemas.errors import EchoPulseError
from transforms.knowledge_base import SHIPPED, alias_table, read_entities

if TYPE_CHECKING:
    from pathlib import Path

_LINE = '{"id":"a","name":"A","type":"t","description":"d","prior":0.5}\n'


def test_shipped() -> None:
    """What ships can be read, and every alias of more than one entity links to one of them."""
    entities = read_entities(SHIPPED)
    assert len(entities) > 150
    assert "" not in alias_table(entities).links


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (_LINE + "{", ":2: Invalid JSON"),
        (_LINE + _LINE, ":2: the id 'a' stands in line 1"),
        (_LINE.replace("0.5", "2"), ":1: prior: "),
        (_LINE.replace('"t"', "1"), ":1: type: "),
    ],
)
def test_faults_name_the_line(tmp_path: Path, text: str, told: str) -> None:
    """A fault is told with file, line and field."""
    path = tmp_path / "own.jsonl"
    path.write_text(text)
    with pytest.raises(EchoPulseError) as raised:
        read_entities(path)
    assert f"{path}{told}" in str(raised.value)


def test_missing_file(tmp_path: Path) -> None:
    """A knowledge base that is not there is named."""
    with pytest.raises(EchoPulseError, match=r"none\.jsonl"):
        read_entities(tmp_path / "none.jsonl")
