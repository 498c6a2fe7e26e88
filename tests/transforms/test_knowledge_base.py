"""The knowledge base and its faults."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from schemas.errors import EchoPulseError
from transforms.alias_table import fold
from transforms.knowledge_base import KNOWLEDGE, SHIPPED, Entity, merge_entities, read_entities, read_plain_words

if TYPE_CHECKING:
    from pathlib import Path

_LINE = '{"id":"a","name":"A","type":"t","description":"d","prior":0.5}\n'


def test_shipped() -> None:
    """What ships has entities of many types, all told in types.jsonl, and aliases of several claimants."""
    entities = read_entities(SHIPPED)
    types = {json.loads(line)["type"] for line in (KNOWLEDGE / "types.jsonl").read_text("utf-8").splitlines()}
    assert len(entities) > 600
    assert {entity.type for entity in entities} <= types
    claims: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for entity in entities:
        for alias in (entity.name, *entity.aliases):
            claims[fold(alias)][entity.id] = entity.prior
        for alias, prior in entity.alias_priors.items():
            claims[fold(alias)][entity.id] = prior
    ambiguous = {alias: claimants for alias, claimants in claims.items() if len(claimants) > 1}
    assert len(ambiguous) > 60
    assert {alias: sum(own.values()) for alias, own in ambiguous.items() if sum(own.values()) > 1.001} == {}


def test_a_later_base_replaces_entities() -> None:
    """An entity of the user's own takes the place of the shipped one with its id; the others stay."""
    first, second, third = (
        Entity(id=own, name=name, type="t", description="d", prior=1)
        for own, name in (("a", "A"), ("b", "B"), ("a", "C"))
    )
    assert merge_entities([first, second], [third]) == [third, second]


def test_plain_words() -> None:
    """Plain words, joiners and emotes are read, and which types are common nouns."""
    words = read_plain_words()
    assert {"the", "monday", "Kappa"} <= set(words.plain)
    assert "of" in words.joiners
    assert words.common_types >= {"food", "animal"}
    assert "stadium" not in words.type_context["food"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (_LINE + "{", ":2: Invalid JSON"),
        (_LINE + _LINE, ":2: the id 'a' stands in line 1"),
        (_LINE.replace("0.5", "2"), ":1: prior: "),
        (_LINE.replace('"t"', "1"), ":1: type: "),
        (_LINE.replace("0.5", '0.5,"alias_priors":{"x":2}'), ":1: alias_priors.x: "),
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
