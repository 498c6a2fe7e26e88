"""Names in texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.row_entities import RowEntities
from transforms.alias_table import alias_table
from transforms.entities import LEAST_PROBABILITY, find_entities
from transforms.knowledge_base import SHIPPED, Entity, PlainWords, read_entities, read_plain_words
from transforms.normalisation import normalise


def _entity(name: str, *aliases: str, prior: float = 0.9, **fields: Any) -> Entity:  # noqa: ANN401 - of the entity
    told = {"type": "t", "description": "", "prior": prior} | fields
    return Entity(id=f"id:{name}", name=name, aliases=aliases, **told)


_WORDS = PlainWords(
    plain=("i", "the", "but", "and", "a", "won", "in", "at", "is", "it", "with", "yesterday"),
    joiners=("of", "van"),
    title=("the", "of"),
    common_types=frozenset({"common"}),
)


TABLE = alias_table(
    [
        _entity("New York", "NYC", prior=1.0),
        _entity("New York Times"),
        _entity("US Open"),
        _entity("Open AI"),
        _entity("Beyoncé"),
        _entity("Hillary Clinton", context=("emails",)),
        _entity("Tesla", "$tsla"),
        _entity("Mercury (planet)", alias_priors={"mercury": 0.45}, context=("orbit", "sun")),
        _entity("Mercury (element)", alias_priors={"mercury": 0.45}, context=("fish", "toxic"), type="common"),
        _entity("Java (island)", alias_priors={"java": 0.2}, context=("volcano",)),
        _entity("Java (language)", alias_priors={"java": 0.75}, context=("code",)),
    ],
    _WORDS,
)


def _find(*texts: str) -> list[list[tuple[str, str, float]]]:
    normalised = normalise(pa.array(texts, pa.string()))
    found = find_entities(normalised.composed, normalised.folded, TABLE)
    rows = zip(*(column.to_pylist() for column in found), strict=True)
    return [list(zip(*row, strict=True)) for row in rows]


def _found(*texts: str) -> list[list[tuple[str, str]]]:
    return [[(name, link) for name, link, _ in row] for row in _find(*texts)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I read the NEW York times in nyc", [("NEW York times", "id:New York Times"), ("nyc", "id:New York")]),
        ("virus open ai", [("open ai", "id:Open AI")]),
        ("newyork, nycs, anyc", []),
        ("BEYONCÉ!", [("BEYONCÉ", "id:Beyoncé")]),
        ("beyoncée", []),
        ("Java's", [("Java", "id:Java (language)")]),
        ("#Tesla $TSLA @tesla", [("#Tesla", "id:Tesla"), ("$TSLA", "id:Tesla"), ("@tesla", "id:Tesla")]),
        ("#HillaryClinton", [("#HillaryClinton", "id:Hillary Clinton")]),
        ("#newyork and newyork", [("#newyork", "id:New York")]),
        ("#1 $5 $TOOLONGX a#b #a#c @", [("#a", "")]),
        ("#Repost… #goal⚽ #日本 #été", [("#Repost", ""), ("#goal", ""), ("#日本", ""), ("#été", "")]),
        ("İ NYC", [("nyc", "id:New York")]),
        ("İẞ and Tesla", [("tesla", "id:Tesla")]),
        ("İİ ẞ Tesla", [("tesla", "id:Tesla")]),
        ("", []),
    ],
)
def test_known_names(text: str, expected: list[tuple[str, str]]) -> None:
    """Whole words, the longest name, surfaces as written, tags by their shape and without the spaces of a name."""
    assert _found(text)[0] == expected


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("mercury", ""),
        ("mercury goes round the sun", "id:Mercury (planet)"),
        ("toxic mercury and fish", "id:Mercury (element)"),
        ("toxic mercury in orbit", ""),
        ("fish, fish and fish in orbit round the suns of mercury", "id:Mercury (planet)"),
        ("java", "id:Java (language)"),
        ("java has a volcano", "id:Java (island)"),
        ("#java #volcano", "id:Java (island)"),
        ("so we think Java is it", "id:Java (language)"),
        ("so we think Xerxes Java is it", ""),
        ("so we think Code Java is it", "id:Java (language)"),
        ("so we think Java Xerxes is it", "id:Java (language)"),
    ],
)
def test_context_decides(text: str, link: str) -> None:
    """Words around an alias choose among its claimants, each word once, plurals too; without them the prior does."""
    assert "".join(own for _, own, _ in _find(text)[0]) == link


def test_scores() -> None:
    """A link has its probability by the formula of AliasTable, a name without a link 0."""
    found = _find("we saw java, Mira and #tag")[0]
    assert [link for _, link, _ in found] == ["id:Java (language)", "", ""]
    assert [score for *_, score in found] == [pytest.approx(0.75), 0.0, 0.0]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Mira Plays won", ["Mira Plays"]),
        ("Team Liquid vs Fnatic", ["Team Liquid", "Fnatic"]),
        ("yesterday Mira won", ["Mira"]),
        ("Yesterday Mira won", ["Mira"]),
        ("Mira won", []),
        ("so cool. Mira won. But I know Zed's friend", ["Zed"]),
        ("he said: Hello there", []),
        ("we saw the Bank of Zorp and Vincent van Gogh there", ["Bank of Zorp", "Vincent van Gogh"]),
        ("we like Jean-Luc Picard and O'Neal a lot", ["Jean-Luc Picard", "O'Neal"]),
        ("well J. Cole sings", ["Cole"]),
        ("MIRA PLAYS WON AGAIN", []),
        ("so we HATE this AND you", []),
        ("Mira Plays Wins The Final", []),
        ("and then The End", ["End"]),
        ("look at Mira New York and Zed", ["New York", "Zed"]),
        ("look at Mira Plays New York", ["Mira Plays", "New York"]),
        ("see https://example.org/Mira and www.Zed.com ok", []),
        ("we think Mira'll come", []),
        ("we met Élodie there", ["Élodie"]),
        ("One Two Three Four Five Six Seven are too many, we think so too, really", []),
        ("so I met Ed Xu", ["Ed Xu"]),
        ("so I met Ed", []),
    ],
)
def test_names_by_shape(text: str, names: list[str]) -> None:
    """Runs of capitals that no sentence asks for, in texts neither in title case nor in capitals."""
    assert [name for name, _ in _found(text)[0]] == names


def test_no_name_by_shape_where_it_is_not_sought() -> None:
    """In a text that is not marked, capitals make no name: German writes every noun with one."""
    normalised = normalise(pa.array(["wir haben einen Hund in New York", "so we met Mira in New York"]))
    names, *_ = find_entities(normalised.composed, normalised.folded, TABLE, np.array([False, True]))
    assert names.to_pylist() == [["New York"], ["Mira", "New York"]]


def test_no_name_across_texts() -> None:
    """The end of one text and the beginning of the next are no name, though they lie side by side in memory."""
    assert _found("new", "york", "new york", " nyc", "so Mira", "Plays it is", "so Zed.", "nyc") == [
        [],
        [],
        [("new york", "id:New York")],
        [("nyc", "id:New York")],
        [("Mira", "")],
        [],
        [("Zed", "")],
        [("nyc", "id:New York")],
    ]


_PARTS = st.sampled_from(
    [
        *("New York", "times", "nyc", "#x", "@y", "tesla", "é", "İ", "ẞ", " ", " ", " ", "open ai", "us ", "$ab", "😂"),
        *("Mira", "Zed", "ÉLAN", "LOL", "of", "van", "the", "won", "i", ".", "!", "'", "\u2019", "-", "s", "ll", "1"),
        *("mercury", "Mercury", "sun", "fish", "toxic", "java", "Java", "volcano", "code", "#JavaCode2", "https://a.B"),
        *("www.", "a.", "\n", "#NewYork", "日本", "_", ":", "ab", "seems", "bus"),
    ]
)
_TEXTS = st.lists(st.lists(_PARTS, max_size=14).map("".join), min_size=1, max_size=5)


@given(_TEXTS)
def test_rows_alone(texts: list[str]) -> None:
    """Each text has the names that it has alone, and each but a tag whose letters change stands in it."""
    together = _find(*texts)
    assert together == [_find(text)[0] for text in texts]
    for text, found in zip(texts, together, strict=True):
        composed = normalise(pa.array([text])).composed[0].as_py()
        assert all(name in composed or name in composed.lower() for name, *_ in found)


@given(st.one_of(_TEXTS, st.lists(st.text(st.characters(codec="utf-8"), max_size=40), min_size=1, max_size=4)))
def test_against_python_strings(texts: list[str]) -> None:
    """The kernels find what regular expressions, sorted lists and dictionaries find, a text at a time."""
    rows = RowEntities(TABLE)
    normalised = normalise(pa.array(texts, pa.string()))
    pairs = zip(normalised.composed.to_pylist(), normalised.folded.to_pylist(), strict=True)
    assert _find(*texts) == [list(zip(*rows.find(composed, folded), strict=True)) for composed, folded in pairs]


def test_ambiguous_aliases_of_the_shipped_knowledge_base() -> None:
    """Of 252 sentences of our own with an ambiguous alias, 9 in 10 get the right entity or none; 3 % a wrong one."""
    table = alias_table(read_entities(SHIPPED), read_plain_words())
    path = Path(__file__).parent / "entities" / "ambiguous.jsonl"
    cases = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    normalised = normalise(pa.array([case["text"] for case in cases]))
    columns = [column.to_pylist() for column in find_entities(normalised.composed, normalised.folded, table)]
    right = wrong = 0
    for case, *found in zip(cases, *columns, strict=True):
        own = [
            (link, score) for name, link, score in zip(*found, strict=True) if case["alias"] in name.lower() and link
        ]
        link, score = next((entry for entry in own if entry[0] == case["id"]), own[0] if own else ("", 0.0))
        assert score == 0 or score >= LEAST_PROBABILITY
        right += link == case["id"]
        wrong += link not in {"", case["id"]}
    assert len(cases) > 150
    assert right / len(cases) > 0.94
    assert wrong / len(cases) < 0.03
