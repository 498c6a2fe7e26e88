"""The examples of docs/entities.md come out as the page says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow as pa
import pytest

from transforms.alias_table import AliasTable, alias_table
from transforms.entities import LEAST_PROBABILITY, find_entities
from transforms.kernels.linking import WINDOW
from transforms.knowledge_base import SHIPPED, merge_entities, read_entities, read_plain_words
from transforms.normalisation import normalise

PAGE = (Path(__file__).parents[2] / "docs" / "entities.md").read_text(encoding="utf-8")
_ROW = re.compile(r"^\| `([^|]+)` \| ((?:`[a-z-]+:[a-z-]+` )*)\|$", re.MULTILINE)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> AliasTable:
    """The shipped knowledge base with the page's own entity."""
    entity = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[0]
    path = tmp_path_factory.mktemp("docs") / "my_entities.jsonl"
    path.write_text(json.dumps(json.loads(entity)), encoding="utf-8")
    return alias_table(merge_entities(read_entities(SHIPPED), read_entities(path)), read_plain_words())


def test_links_of_the_page(table: AliasTable) -> None:
    """Each text of the page's tables links to what stands beside it."""
    rows = _ROW.findall(PAGE)
    assert len(rows) > 6
    texts = normalise(pa.array([text for text, _ in rows]))
    _, links, _ = find_entities(texts.composed, texts.folded, table)
    found = ["".join(f"`{link}` " for link in own if link) for own in links.to_pylist()]
    assert found == [cell for _, cell in rows]


def test_names_of_the_page(table: AliasTable) -> None:
    """What the page gives as names by shape are names with what ships."""
    texts = normalise(pa.array(["Mira Plays won", "so we met Mira", "Team Liquid vs Fnatic"]))
    names, *_ = find_entities(texts.composed, texts.folded, table)
    assert names.to_pylist() == [["Mira Plays"], ["Mira"], ["Team Liquid", "Fnatic"]]


def test_figures_of_the_page() -> None:
    """The threshold, the window, the number of sentences and that of entities are those of the code."""
    cases = Path(__file__).parents[1] / "transforms" / "entities" / "ambiguous.jsonl"
    assert f"probability of {LEAST_PROBABILITY} or more" in PAGE
    assert f"up to {WINDOW} on each side" in PAGE
    assert f"{len(cases.read_text(encoding='utf-8').splitlines())} such sentences" in PAGE
    assert f"some {round(len(read_entities(SHIPPED)), -2):,} entities" in PAGE
