"""Values scanned out of frames, against a parser and a look-up in each."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from echopulse.gateway.mapping_columns import as_texts
from echopulse.gateway.mapping_paths import Keys, look_up, parse_path
from echopulse.gateway.mapping_scan import PathScan

_PATHS: list[Keys] = [parse_path(text) for text in ("a", "b.c", "b.d", "e[1]", "e[0].f", 'g["h.i"].a', "é")]
_NAMES = st.sampled_from(["a", "b", "c", "d", "e", "f", "g", "h.i", "é", "", "aa", "\n", '"', "0"])
_TEXTS = st.text() | st.sampled_from(["\ud83d\ude00", '\n\t\r\b\f/\\"', "\u0000", "é\u2028", "\U0001f600"])
_LEAVES = (
    st.none() | st.booleans() | st.integers() | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXTS
)  # fmt: skip
_ANY = st.recursive(_LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner), max_leaves=12)
_OBJECTS = st.dictionaries(_NAMES, _ANY, max_size=6)


def _written(document: Any, form: int) -> bytes:  # noqa: ANN401 any JSON
    """JSON as one of several writers would write it."""
    if form < 2:
        return json.dumps(document, ensure_ascii=bool(form), indent=form or None).encode("utf-8", "surrogatepass")
    return json.dumps(document, separators=(" ,\r\n", "\t: ")).encode()


def _parsed(frame: bytes) -> Any:  # noqa: ANN401 any JSON
    try:
        return orjson.loads(frame)
    except orjson.JSONDecodeError:
        return ...


def _check(frames: list[bytes]) -> list[bool]:
    """All that is sure is what the parser finds; return what is."""
    scanned, sure = PathScan(_PATHS).read(frames)
    places = [place for place, known in enumerate(sure) if known]
    documents = [_parsed(frames[place]) for place in places]
    assert all(isinstance(document, dict) for document in documents)
    chosen = scanned.take(places)
    for path in _PATHS:
        found = [look_up(document, path) for document in documents]
        assert repr(chosen.values(path)) == repr(found)
        assert chosen.texts(path).to_pylist() == as_texts(found)
        column = chosen.column(path)
        truths = any(isinstance(one, bool) for one in found)
        assert repr(column if isinstance(column, list) else column.to_pylist()) == repr(
            found if truths else as_texts(found)
        )
        whole = all(type(one) is int for one in found)
        numbers = chosen.numbers(path)
        assert (None if numbers is None else numbers.tolist()) == (found if whole else None)
    return [bool(known) for known in sure]


@given(st.lists(st.tuples(_OBJECTS, st.integers(0, 2)), max_size=6))
def test_what_is_sure_is_what_a_parser_finds(documents: list[tuple[Any, int]]) -> None:
    """Of any JSON, however it is written; neighbours do not lean on each other."""
    _check([_written(document, form) for document, form in documents])


@given(_OBJECTS, st.data())
def test_no_broken_frame_is_sure(document: Any, data: st.DataObject) -> None:  # noqa: ANN401 any JSON
    """A byte cut out, put in or changed."""
    frame = bytearray(_written(document, data.draw(st.integers(0, 2))))
    at = data.draw(st.integers(0, len(frame) - 1))
    byte = data.draw(st.sampled_from(b'"{}[],:\\u0-9.eE+tn \x00\x1f\x7f\x80\xff\xc3\n'))
    match data.draw(st.integers(0, 2)):
        case 0:
            del frame[at]
        case 1:
            frame.insert(at, byte)
        case _:
            frame[at] = byte
    _check([b'{"a":"before"}', bytes(frame), b'{"a":"behind"}'])


@given(st.binary(max_size=40))
@example(b'{"a":1}\x80')
@example(b'{"a":"\\ud800"}')
@example(b'{"a":"\\udc00"}')
@example(b'{"a":1e5}')
@example(b'{"x":1e999}')
@example(b'{"a":-0}')
@example(b'{"a":01}')
@example(b'{"a":1.}')
@example(b'{"a":1,"a":2}')
@example(b'{"b":{"c":1},"b":{}}')
@example(b'{"\\u0061":1}')
@example(b'{"a":123456789012345678901}')
@example(b'{"e":[1,2,3],}')
@example(b'{"e":[1,]}')
@example(b'{"e":[,1]}')
@example(b'{"x":nul}')
@example(b'{"x":truE}')
@example(b'{"x":' + b"[" * 2_000 + b"]" * 2_000 + b"}")
@example(b"")
@example(b"{")
@example(b"[]")
@example(b"{} {}")
def test_of_any_bytes(frame: bytes) -> None:
    """What is not sure is for the parser."""
    _check([frame])


def test_what_platforms_send_is_sure() -> None:
    """Escapes, spaces, absent values, numbers and truths; what is rare is not."""
    common = [
        b'{"a": "x \\"y\\" \\u00e9 \\ud83d\\ude00 \\n", "b": {"c": 12, "d": null}, "e": ["x"], "z": [{"a": -1.5}]}',
        b' {"b":{"c":true},"e":[{"f":"in a list"}],"g":{"h.i":{"a":"deep"}},"\xc3\xa9":"e"}\n',
        b"{}",
    ]
    rare = [b'{"a":{}}', b'{"a":1.5}', b'{"x":1e3}', b'{"a":1,"a":1}', b"[1]", b"{"]
    assert _check([*common, *rare]) == [True] * len(common) + [False] * len(rare)
    assert _check([b'{"a":"\xff"}', b'{"a":1}']) == [False, False]
    assert _check([]) == []


@pytest.mark.parametrize(
    ("paths", "reason"),
    [
        (["a", "a.b"], "a is a value, and a.b is in it"),
        (["a[-1]"], "a[-1] counts from the end"),
        ([f"a{number}" for number in range(64)], "65 steps are more than 64"),
    ],
)
def test_paths_that_cannot_be_followed(paths: list[str], reason: str) -> None:
    """The mapper parses then."""
    with pytest.raises(ValueError, match=f"^{re.escape(reason)}$"):
        PathScan(map(parse_path, paths))
