"""Paths into JSON: read, followed, refused at the character where they go wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from echopulse.gateway.mapping_paths import Keys, look_up, parse_path, parse_pattern, written


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("id", ("id",)),
        ("commit.record.text", ("commit", "record", "text")),
        ("data[0].id", ("data", 0, "id")),
        ("[-1].a", (-1, "a")),
        ('meta["a.b"].c', ("meta", "a.b", "c")),
        ("$type", ("$type",)),
    ],
)
def test_a_path_is_read(text: str, keys: Keys) -> None:
    """Dots, positions and quoted keys."""
    assert parse_path(text) == keys


@pytest.mark.parametrize(
    ("text", "at"), [("a..b", 2), (".a", 1), ("a.", 2), ("a[x]", 2), ("a[0]b", 5), ("a b", 2), ("a[0", 2)]
)
def test_a_bad_path_is_refused(text: str, at: int) -> None:
    """The character is told."""
    with pytest.raises(ValueError, match=f"goes wrong at character {at};"):
        parse_path(text)


@example([".0"])
@example(["[0]"])
@given(st.lists(st.one_of(st.text(st.characters(exclude_characters='"')), st.integers(-9, 9)), min_size=1))
def test_a_written_path_reads_back(keys: list[str | int]) -> None:
    """Any key can be written."""
    assert parse_path(written(tuple(keys))) == tuple(keys)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a.b", 1),
        ("c[1]", 3),
        ("c[-1]", 3),
        ("c[9]", None),
        ("a.x", None),
        ("c.x", None),
        ("d[0]", None),
        ("a.b.c", None),
    ],
)
def test_a_path_is_followed(path: str, value: Any) -> None:  # noqa: ANN401 - any JSON
    """What is not there is None: a missing key, a position beyond, a key of a list, a position in a text."""
    assert look_up({"a": {"b": 1}, "c": [2, 3], "d": "text"}, parse_path(path)) == value


def test_a_pattern_is_text_and_paths() -> None:
    """Pieces alternate."""
    assert parse_pattern("x-{a.b}/{c}") == ("x-", ("a", "b"), "/", ("c",), "")


@pytest.mark.parametrize("text", ["{a", "a}", "{a{b}}"])
def test_a_brace_without_partner_is_refused(text: str) -> None:
    """Braces come in pairs."""
    with pytest.raises(ValueError, match="without its partner"):
        parse_pattern(text)
