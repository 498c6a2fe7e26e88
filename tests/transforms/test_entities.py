"""Names in texts."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.entities import find_entities
from transforms.knowledge_base import Entity, alias_table
from transforms.normalisation import normalise


def _entity(name: str, *aliases: str, prior: float = 0.9) -> Entity:
    return Entity(id=f"id:{name}", name=name, aliases=aliases, type="t", description="d", prior=prior)


TABLE = alias_table(
    [
        _entity("New York", "NYC"),
        _entity("New York Times"),
        _entity("US Open"),
        _entity("Open AI"),
        _entity("Beyoncé"),
        _entity("Tesla", "$tsla"),
        _entity("Mercury (planet)", "mercury", prior=0.5),
        _entity("Mercury (element)", "mercury", prior=0.5),
        _entity("Java (island)", "java", prior=0.2),
        _entity("Java (language)", "java", prior=0.8),
    ]
)


def _found(*texts: str) -> list[list[tuple[str, str]]]:
    normalised = normalise(pa.array(texts, pa.string()))
    names, links = find_entities(normalised.composed, normalised.folded, TABLE)
    return [list(zip(own, link, strict=True)) for own, link in zip(names.to_pylist(), links.to_pylist(), strict=True)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I read the NEW York times in nyc", [("NEW York times", "id:New York Times"), ("nyc", "id:New York")]),
        ("virus open ai", [("open ai", "id:Open AI")]),
        ("newyork, nycs, anyc", []),
        ("BEYONCÉ!", [("BEYONCÉ", "id:Beyoncé")]),
        ("beyoncée", []),
        ("mercury", [("mercury", "")]),
        ("Java's", [("Java", "id:Java (language)")]),
        ("#Tesla $TSLA @tesla", [("#Tesla", "id:Tesla"), ("$TSLA", "id:Tesla"), ("@tesla", "id:Tesla")]),
        ("#1 $5 $TOOLONGX a#b #a#c @", [("#a", "")]),
        ("#Repost… #goal⚽ #日本 #été", [("#Repost", ""), ("#goal", ""), ("#日本", ""), ("#été", "")]),
        ("İ NYC", [("nyc", "id:New York")]),
        ("İİ ẞ Tesla", [("tesla", "id:Tesla")]),
        ("", []),
    ],
)
def test_examples(text: str, expected: list[tuple[str, str]]) -> None:
    """Whole words, the longest name, surfaces as written, tags by their shape, ambiguity by prior."""
    assert _found(text)[0] == expected


def test_no_name_across_texts() -> None:
    """The end of one text and the beginning of the next are no name, though they lie side by side in memory."""
    assert _found("new", "york", "new york", " nyc") == [
        [],
        [],
        [("new york", "id:New York")],
        [("nyc", "id:New York")],
    ]


_WORDS = st.sampled_from(
    ["New York", "times", "nyc", "#x", "@y", "tesla", "é", "İ", " ", "open ai", "us ", "$ab", "😂"]
)


@given(st.lists(st.lists(_WORDS, max_size=6).map("".join), min_size=1, max_size=5))
def test_rows_alone(texts: list[str]) -> None:
    """Each text has the names that it has alone, and each but a tag whose letters change stands in it."""
    together = _found(*texts)
    assert together == [_found(text)[0] for text in texts]
    for text, found in zip(texts, together, strict=True):
        composed = normalise(pa.array([text])).composed[0].as_py()
        assert all(name in composed or name in composed.lower() for name, _ in found)
