"""Texts out of payloads and metadata."""

from __future__ import annotations

import json

import numpy as np
import orjson
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from transforms.extraction import TEXT_FIELDS, extract, extract_payloads, lookup

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*TEXT_FIELDS, "other"]), inner, max_size=4)
    ),
    max_leaves=8,
)
_PAYLOADS = st.one_of(
    _JSON.map(lambda value: json.dumps(value).encode()),
    _JSON.map(lambda value: json.dumps(value, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass")),
    st.binary(max_size=20),
    st.sampled_from(
        [b"{}", b'{"a":[{', b"}]}", b'{"text":"a"}{"text":"b"}', b'{"text":"a"},', b'"{}"', b"{}\n{}", b"[{}]"]
    ),
)


def _oracle(payload: bytes) -> str | None:
    try:
        document = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(document, dict):
        return None
    return next((document[name] for name in TEXT_FIELDS if isinstance(document.get(name), str)), "")


@given(st.lists(_PAYLOADS, max_size=8))
def test_payloads_against_one_at_a_time(payloads: list[bytes]) -> None:
    """Parsing a batch together gives what parsing each payload alone gives, faults and neighbours included."""
    extracted = extract_payloads(pa.array(payloads, pa.binary()))
    expected = [_oracle(payload) for payload in payloads]
    assert extracted.texts.to_pylist() == [text or "" for text in expected]
    assert extracted.bad_rows.tolist() == [row for row, text in enumerate(expected) if text is None]
    assert len(extracted.reasons) == len(extracted.bad_rows)


def test_deep_nesting() -> None:
    """Brackets nested to the limit are read, beyond it refused, alone and in company."""
    deep = b'{"a":' + b"[" * 2_000 + b"]" * 2_000 + b"}"
    fine = b'{"text":"x","a":' + b"[" * 900 + b"]" * 900 + b"}"
    assert extract_payloads(pa.array([fine, fine], pa.binary())).texts.to_pylist() == ["x", "x"]
    for payloads in ([deep], [deep, fine, b"{"]):
        assert 0 in extract_payloads(pa.array(payloads, pa.binary())).bad_rows


def test_slices() -> None:
    """Arrays that begin within a buffer are read from where they begin."""
    payloads = pa.array([b'{"text":"a"}', b'{"text":"b"}', b'{"text":"c"}', b"x"], pa.binary())
    assert extract_payloads(payloads[1:3]).texts.to_pylist() == ["b", "c"]
    assert extract_payloads(payloads[2:]).bad_rows.tolist() == [1]


_MAPS = st.lists(st.lists(st.tuples(st.sampled_from("ab"), st.text(max_size=3)), max_size=3), max_size=6)


@given(maps=_MAPS, low=st.integers(0, 3), key=st.sampled_from("abc"))
def test_lookup_against_a_loop(maps: list[list[tuple[str, str]]], low: int, key: str) -> None:
    """The first value of a key, or null, for whole arrays and slices."""
    metadata = pa.array(maps, pa.map_(pa.string(), pa.string()))[low:]
    expected = [next((value for name, value in pairs if name == key), None) for pairs in maps[low:]]
    assert lookup(metadata, key).to_pylist() == expected


def test_metadata_first() -> None:
    """Only rows without a text in their metadata have their payload read."""
    metadata = pa.array([[("text", "m")], [], []], pa.map_(pa.string(), pa.string()))
    extracted = extract(metadata, pa.array([b"x", b'{"content":"p"}', b"y"], pa.binary()))
    assert extracted.texts.to_pylist() == ["m", "p", ""]
    assert np.array_equal(extracted.bad_rows, [2])
