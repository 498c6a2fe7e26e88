"""Payloads without the fields that nobody reads."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
import orjson
from hypothesis import given
from hypothesis import strategies as st

from transforms.kernels.payloads import SLOTS, hash_name, slim_objects

KNOWN = ("text", "d", "list")


def _slot(name: str) -> int:
    return hash_name(np.frombuffer(name.encode(), np.uint8), 0, len(name.encode()))


def _slim(*payloads: bytes) -> tuple[list[bytes], list[bool], list[int]]:
    values = np.frombuffer(b"".join(payloads), np.uint8)
    offsets = np.cumsum([0, *map(len, payloads)]).astype(np.int32)
    tops, names = np.zeros((1, SLOTS), np.uint64), np.zeros((1, SLOTS), np.bool_)
    for bit, name in enumerate(KNOWN):
        tops[0, _slot(name)] = 1 << bit
        names[0, _slot(name)] = True
    rows = len(payloads)
    whole, present = np.zeros(rows, np.bool_), np.zeros(rows, np.uint64)
    slim, bounds = np.zeros(len(values), np.uint8), np.zeros(rows + 1, np.int32)
    slim_objects(values, offsets, np.zeros(rows, np.uint8), tops, names, whole, present, slim, bounds)
    return [slim[a:b].tobytes() for a, b in pairwise(bounds)], whole.tolist(), present.tolist()


def _loaded(payload: bytes) -> Any:  # noqa: ANN401 - any JSON
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None


def _kept(document: Any) -> Any:  # noqa: ANN401 - any JSON
    """A document without fields that no slot knows, whose values are no objects or lists."""
    slots = set(map(_slot, KNOWN))
    if isinstance(document, list):
        return [_kept(item) for item in document]
    if not isinstance(document, dict):
        return document
    return {
        name: _kept(value)
        for name, value in document.items()
        if isinstance(value, dict | list)
        or _slot(name) in slots
        or "\\" in json.dumps([name, value], ensure_ascii=False)
    }


_NAMES = st.sampled_from([*KNOWN, "", "other", "t", "texts", "é", '"', "a,b", "{"])
_JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(0, 10**20),
        st.text("ab\u00e9,:{}[] ", max_size=4),
        st.sampled_from(['"', "\\", "\n"]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
_OBJECTS = st.dictionaries(_NAMES, _JSON, max_size=5)


@given(_OBJECTS, st.sampled_from([None, 1]))
def test_sound_objects_keep_what_is_known(document: dict[str, Any], indent: int | None) -> None:
    """Of an object all is left but unknown fields with plain values."""
    payload = json.dumps(document, indent=indent, ensure_ascii=False).encode()
    (slim,), (whole,), (present,) = _slim(payload)
    assert whole == all("\\" not in json.dumps(name, ensure_ascii=False) for name in document)
    # Read back first: a number beyond 64 bits becomes a float in any JSON reader that has no larger ones.
    assert orjson.loads(slim) == _kept(orjson.loads(payload))
    for bit, name in enumerate(KNOWN):
        assert present >> bit & 1 or name not in document


@given(_OBJECTS, st.data())
def test_faults_are_kept(document: dict[str, Any], data: st.DataObject) -> None:
    """What is left of a payload that passes for whole is JSON if and only if the payload is."""
    payload = bytearray(json.dumps(document, ensure_ascii=False).encode())
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.integers(0, len(payload)))
        piece = data.draw(
            st.sampled_from([b"", b",", b'"', b"{", b"}", b"[", b"]", b":", b"\\", b"1", b"-", b'"a":1,', b"N"])
        )
        payload[place : place + data.draw(st.integers(0, 2))] = piece  # fmt: skip
    (slim, good), (whole, _), _ = _slim(bytes(payload), b'{"a":1}')
    assert good == b"{}"
    assert not whole or (_loaded(slim) is None) == (_loaded(bytes(payload)) is None)


def test_out_of_place() -> None:
    """Commas where none may be, and numbers that readers differ on, are not cut out."""
    for payload in (b'{,"a":1}', b'{"a":1,}', b'{"a":1,,"b":2}', b'[{"a":1}]', b'{"a":01}', b'{"a":NaN}', b"{} {}"):
        (slim,), (whole,), _ = _slim(payload)
        assert not whole or _loaded(slim) is None, payload
    assert not _slim(b'{"a":' + b"1" * 400 + b"}")[1][0]
    assert _slim(b' {"a" : 1 , "text" : "x" , "b" : null } ')[0][0].split() == [b"{", b'"text"', b":", b'"x"', b"}"]
