"""Paths, in documents and in columns."""

from __future__ import annotations

from typing import Any

import orjson
import pyarrow as pa
import pytest

from transforms.payloads.declaration import Plan
from transforms.payloads.paths import Path
from transforms.payloads.reading import read_each, read_together

DOCUMENT: dict[str, Any] = {
    "a": {"b": "c", "n": 7, "f": True},
    "list": [
        {"type": "x", "text": "1"},
        {"type": "y", "text": "2", "url": "u"},
        {"type": "x", "url": "3"},
        {"type": "x"},
    ],
    "deep": [{"in": [{"name": "p"}, {"text": "q"}]}, {"in": []}, {"in": None}, None, {"in": [{"text": "r"}]}],
    "plain": ["first", "second"],
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.b", "c"),
        ("a.n", None),
        ("a.f", None),
        ("a", None),
        ("a.b.c", None),
        ("missing.b", None),
        ("a.missing|b", "c"),
        (":a:", None),
        ("a.:b:", ":c:"),
        ("list[].text", ["1", "2"]),
        ("list[type=x].text", ["1"]),
        ("list[type=x].text|:url:", ["1", ":3:"]),
        ("list[1].text", ["2"]),
        ("list[9].text", []),
        ("list[].text.more", []),
        ("deep[].in[].text|:name:", [":p:", "q", "r"]),
        ("deep[].in[1].text", ["q"]),
        ("plain[0]", ["first"]),
        ("plain[]", ["first", "second"]),
        ("a[].b", []),
        ("missing[].b", []),
    ],
)
def test_in_a_document_and_in_columns(path: str, found: object) -> None:
    """A path finds the same in one document and in a batch parsed together, between empty ones."""
    parsed = Path.parse(path)
    assert parsed.find(DOCUMENT, numbers=False) == found
    payloads = pa.array([b"{}", orjson.dumps(DOCUMENT), b"{}"], pa.binary())
    plan = Plan(text=(("", (parsed,)),))
    for leaves in (read_together(payloads, payloads, plan), read_each(payloads, plan)):
        nothing: list[str] | None = [] if parsed.listed else None
        assert leaves.columns[parsed].to_pylist() == [nothing, found, nothing]
        assert leaves.reasons == []


def test_numbers() -> None:
    """Ids may be whole numbers; true is none."""
    assert Path.parse("a.n").find(DOCUMENT, numbers=True) == "7"
    assert Path.parse("a.f").find(DOCUMENT, numbers=True) is None


def test_names() -> None:
    """A path knows where it begins and all names on its way."""
    path = Path.parse("blocks[type=x].elements[].text|:name:")
    assert path.top == {"blocks"}
    assert path.names == {"blocks", "type", "elements", "text", "name"}
    assert Path.parse("a|b").top == {"a", "b"}
    assert path is Path.parse("blocks[type=x].elements[].text|:name:")
